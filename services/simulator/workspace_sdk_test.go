package simulator_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"golang.org/x/oauth2"
	directoryapi "google.golang.org/api/admin/directory/v1"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"

	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// sdk is Google's client of the Directory API.
func (c *customer) sdk() *directoryapi.Service {
	c.t.Helper()
	if c.token == "" {
		c.signInAs(initechAdmin)
	}
	client := oauth2.NewClient(context.WithValue(c.t.Context(), oauth2.HTTPClient, c.http), oauth2.StaticTokenSource(&oauth2.Token{AccessToken: c.token}))
	return must(directoryapi.NewService(c.t.Context(), option.WithHTTPClient(client), option.WithEndpoint(c.server.URL())))(c.t)
}

// TestWorkspaceWithTheSDK reads users, groups and members, and watches, with Google's own client.
func TestWorkspaceWithTheSDK(t *testing.T) {
	t.Parallel()
	c := initech(t, simulator.Config{AllowLoopbackHTTP: true}, nil)
	ctx := t.Context()
	must(c.control.Generate(ctx, "initech", control.Generate{Users: 700, Seed: 1}))(t)
	team, ann, _, _ := fullTeam(c)
	sdk := c.sdk()

	users, pages := map[string]bool{}, 0
	err := sdk.Users.List().Customer("my_customer").MaxResults(500).Projection("basic").OrderBy("email").
		Fields("nextPageToken", "users(id,primaryEmail,name,suspended,archived,aliases)").
		Pages(ctx, func(page *directoryapi.Users) error {
			for _, u := range page.Users {
				users[u.Id] = true
			}
			pages++
			return nil
		})
	if told := must(c.control.Users(ctx, "initech"))(t); err != nil || len(users) != len(told) || pages != 2 {
		t.Errorf("%d users on %d pages, %v", len(users), pages, err)
	}
	u := must(sdk.Users.Get("ann@initech.com").Context(ctx).Do())(t)
	if u.Id != ann || u.CreationTime == "" || u.CustomerId != c.tenant.DirectoryID {
		t.Errorf("user: %+v", u)
	}
	g := must(sdk.Groups.Get(team).Context(ctx).Do())(t)
	if g.DirectMembersCount != 5 || g.Email != "team@initech.com" {
		t.Errorf("group: %+v", g)
	}
	groups := must(sdk.Groups.List().Customer("my_customer").Context(ctx).Do())(t)
	members := must(sdk.Members.List(team).Context(ctx).Do())(t)
	m := must(sdk.Members.Get(team, ann).Context(ctx).Do())(t)
	has := must(sdk.Members.HasMember(team, "bob@initech.com").Context(ctx).Do())(t)
	if len(groups.Groups) != 2 || len(members.Members) != 5 || m.Role != "OWNER" || !has.IsMember {
		t.Errorf("%d groups, %d members, %+v, %+v", len(groups.Groups), len(members.Members), m, has)
	}
	_, err = sdk.Members.Get("inner@initech.com", ann).Context(ctx).Do()
	if refusal := (&googleapi.Error{}); !errors.As(err, &refusal) || refusal.Code != 404 || refusal.Message != "Resource Not Found: memberKey" || refusal.Errors[0].Reason != "notFound" {
		t.Errorf("not a member: %v", err)
	}
}

func TestWorkspaceUsersWatch(t *testing.T) {
	t.Parallel()
	c := initech(t, simulator.Config{AllowLoopbackHTTP: true}, nil)
	ctx := t.Context()
	h := newGoogleHook(t)
	sdk := c.sdk()
	channel := must(sdk.Users.Watch(&directoryapi.Channel{Id: "channel-1", Type: "web_hook", Address: h.URL, Token: "secret"}).
		Customer("my_customer").Context(ctx).Do())(t)
	if left := time.Until(time.UnixMilli(channel.Expiration)); channel.ResourceId == "" || left < 5*time.Hour || left > 6*time.Hour {
		t.Errorf("channel: %+v", channel)
	}
	if got := h.next(t); got.Get("X-Goog-Resource-State") != "sync" || got.Get("X-Goog-Channel-ID") != "channel-1" {
		t.Errorf("first message: %v", got)
	}
	c.person("ann")
	if got := h.next(t); got.Get("X-Goog-Resource-State") != "add" || got.Get("X-Goog-Channel-Token") != "secret" || got.Get("X-Goog-Resource-ID") != channel.ResourceId {
		t.Errorf("a new user: %v", got)
	}
	must(c.control.Suspend(ctx, "initech", "ann@initech.com"))(t)
	if got := h.next(t); got.Get("X-Goog-Resource-State") != "update" {
		t.Errorf("suspended: %v", got)
	}
	if err := sdk.Channels.Stop(&directoryapi.Channel{Id: channel.Id, ResourceId: channel.ResourceId}).Context(ctx).Do(); err != nil {
		t.Error(err)
	}
	if left := must(c.control.Subscriptions(ctx, "initech"))(t); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	_, err := sdk.Users.Watch(&directoryapi.Channel{Id: "channel-2", Type: "web_hook", Address: "http://example.com/"}).Customer("my_customer").Context(ctx).Do()
	if refusal := (&googleapi.Error{}); !errors.As(err, &refusal) || refusal.Code != http.StatusBadRequest {
		t.Errorf("plain http: %v", err)
	}
}
