package demo

import (
	"context"
	"fmt"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/datadir"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/house"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// workspace is Google Workspace, read through the Directory and Reports APIs. The members of a watched group are listed
// again and again there, whatever happens, so only lists of all users and of all groups are none of a single user's.
func workspace() provider {
	return provider{
		kind: directory.GoogleWorkspace, label: "Workspace",
		lists:  []string{"GET admin/users", "GET admin/groups"},
		enroll: enrollWorkspace, fill: fillWorkspace,
	}
}

// enrollWorkspace keeps the service account's key in the file that Google's console lets an operator download.
func enrollWorkspace(c company, dir *datadir.Dir) (control.App, tenant.Credential, error) {
	account, err := house.OpenAccount(absolute(dir.Join(c.id + ".key.json")))
	if err != nil {
		return control.App{}, tenant.Credential{}, fmt.Errorf("the demo's account: %w", err)
	}
	return account.App(c.domain), account.Credential(c.domain), nil
}

// fillWorkspace uploads a file of members in the Admin console. The log that Google keeps of that names neither the group nor
// the members.
func fillWorkspace(ctx context.Context, c company, _ tenant.Tenant, group string, users []string) error {
	_, err := c.client.Via(control.ViaBulkUpload).AddMembers(ctx, c.id, group, users...)
	return err
}
