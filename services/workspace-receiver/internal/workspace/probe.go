package workspace

import (
	"context"
	"fmt"

	"google.golang.org/api/googleapi"

	"github.com/rollcall-hq/rollcall/services/workspace-receiver/internal/workspace/wire"
)

// customerID reads one user and returns the id of the customer that it is of, "" where there is no user.
func (d *Directory) customerID(ctx context.Context) (string, error) {
	const doing = "read a user"
	body, err := d.client.send(ctx, doing, "/users", func(ctx context.Context) error {
		_, err := d.client.directory.Users.List().Customer(customer).MaxResults(1).Fields(googleapi.Field(wire.CustomerFields)).Context(ctx).Do()
		return err
	})
	if err != nil {
		return "", err
	}
	id, err := wire.Customer(body)
	if err != nil {
		return "", fmt.Errorf("%s: %w", doing, err)
	}
	return id, nil
}

// oneGroup reads the first group and returns its id, "" where there is none.
func (d *Directory) oneGroup(ctx context.Context) (string, error) {
	const doing = "read a group"
	body, err := d.client.send(ctx, doing, "/groups", func(ctx context.Context) error {
		_, err := d.client.directory.Groups.List().Customer(customer).MaxResults(1).Fields(googleapi.Field(wire.GroupsFields)).Context(ctx).Do()
		return err
	})
	p, err := d.page(doing, "groups", body, err, wire.Groups)
	if err != nil || len(p.Observations) == 0 {
		return "", err
	}
	return p.Observations[0].Group.ID, nil
}

// oneActivity reads the last activity of an application, if there is any.
func (d *Directory) oneActivity(ctx context.Context, application string) error {
	const doing = "read activities"
	body, err := d.client.send(ctx, doing, "/activity/users/all/applications/"+application, func(ctx context.Context) error {
		_, err := d.client.reports.Activities.List("all", application).MaxResults(1).Fields(googleapi.Field(wire.ActivitiesFields)).Context(ctx).Do()
		return err
	})
	if err != nil {
		return err
	}
	if _, _, err = wire.Activities(body, application); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}
