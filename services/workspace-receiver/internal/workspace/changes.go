package workspace

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/api/googleapi"

	"github.com/rollcall-hq/rollcall/services/internal/receiver"
	"github.com/rollcall-hq/rollcall/services/workspace-receiver/internal/workspace/wire"
)

// What Google sends on one page at most.
const (
	maxUsers      = 500
	maxGroups     = 200
	maxActivities = 1000
)

// Changes implements receiver.Directory: a list of all users or groups, and from then on a journal. Which of the two
// journals a feed reads makes no difference to what its pages may name.
//
// A journal's last page may be followed by a list of deleted users: an activity names who was deleted by address alone.
func (d *Directory) Changes(ctx context.Context, feed receiver.Feed, raw string) (receiver.Page, error) {
	var j *journal
	switch feed.Kind {
	case receiver.UsersFeed:
		j = d.users
	case receiver.GroupsFeed:
		j = d.groups
	default:
		return receiver.Page{}, fmt.Errorf("read changes: unknown feed %q", feed.Kind)
	}
	c, err := openCursor(raw, d.clock.Now())
	if err != nil {
		return receiver.Page{}, fmt.Errorf("read changes of %s: %w", feed.Kind, err)
	}
	if raw == "" {
		j.listBegan()
	}
	switch c.Stage {
	case resting:
		return d.journalPage(ctx, j, j.begin(c, raw, d.clock.Now()))
	case reading:
		return d.journalPage(ctx, j, c)
	case deleting:
		return d.deletedPage(ctx, j, c)
	}
	if feed.Kind == receiver.UsersFeed {
		return d.usersPage(ctx, j, c)
	}
	return d.groupsPage(ctx, j, c)
}

// journalPage reads one page of activities. It asks for no end of the time: by Google's clock it is now.
func (d *Directory) journalPage(ctx context.Context, j *journal, c cursor) (receiver.Page, error) {
	const doing = "read activities"
	body, err := d.client.send(ctx, doing, "/activity/users/all/applications/"+j.application, func(ctx context.Context) error {
		call := d.client.reports.Activities.List("all", j.application).MaxResults(maxActivities).
			StartTime(c.From.Format("2006-01-02T15:04:05.000Z")).Fields(googleapi.Field(wire.ActivitiesFields))
		if c.Page != "" {
			call = call.PageToken(c.Page)
		}
		_, err := call.Context(ctx).Do()
		return err
	})
	if err != nil {
		return receiver.Page{}, err
	}
	activities, next, err := wire.Activities(body, j.application)
	if err != nil {
		return receiver.Page{}, fmt.Errorf("%s: %w", doing, err)
	}
	told := newNews(d.customer, d.strange)
	page := receiver.Page{Shown: make([]string, len(activities))}
	for i, a := range activities {
		page.Shown[i] = a.ID()
		switch {
		case a.Time.Before(c.Listed.Add(-settled)): // the list has shown it
		case j.fresh(a):
			if told.add(a) {
				j.note(a)
			}
		case c.Wide: // the list of deleted users may have lagged when the activity was new
			told.deletions(a)
		}
	}
	page.Stale, page.Anew = told.refs, told.anew
	if at := told.deleted; !at.IsZero() && (c.Deleted.IsZero() || at.Before(c.Deleted)) {
		c.Deleted = at.UTC()
	}
	c.Page = next
	if next == "" && !c.Deleted.IsZero() {
		c.Stage = deleting
	}
	return d.goOn(j, page, c), nil
}

// deletedPage reads one page of deleted users. Google has them for 20 days.
func (d *Directory) deletedPage(ctx context.Context, j *journal, c cursor) (receiver.Page, error) {
	p, err := d.usersList(ctx, "read deleted users", c.Page, true, func(body []byte) (wire.Page, error) {
		return wire.DeletedUsers(body, c.Deleted)
	})
	if err != nil {
		return receiver.Page{}, err
	}
	if c.Page = p.Next; c.Page == "" {
		c.Deleted = time.Time{}
	}
	return d.goOn(j, receiver.Page{Observations: p.Observations, SetAside: p.SetAside}, c), nil
}

// goOn ends a page of a read of the journal with the cursor behind it.
func (d *Directory) goOn(j *journal, page receiver.Page, c cursor) receiver.Page {
	if c.Page == "" && c.Deleted.IsZero() {
		c = c.rest()
		j.end(c)
	}
	page.Cursor, page.More = c.String(), c.Stage != resting
	return page
}

// usersPage reads one page of all users. Behind the last one the journal begins at the time before the first.
func (d *Directory) usersPage(ctx context.Context, j *journal, c cursor) (receiver.Page, error) {
	p, err := d.usersList(ctx, "read users", c.Page, false, wire.Users)
	if err != nil {
		return receiver.Page{}, err
	}
	return j.listed(p, c), nil
}

// usersList reads one page of a list of users.
func (d *Directory) usersList(ctx context.Context, doing, token string, deleted bool, decode func([]byte) (wire.Page, error)) (wire.Page, error) {
	body, err := d.client.send(ctx, doing, "/users", func(ctx context.Context) error {
		call := d.client.directory.Users.List().Customer(customer).MaxResults(maxUsers).Fields(googleapi.Field(wire.UsersFields))
		if deleted {
			call = call.ShowDeleted("true")
		}
		if token != "" {
			call = call.PageToken(token)
		}
		_, err := call.Context(ctx).Do()
		return err
	})
	return d.page(doing, "users", body, err, decode)
}

// groupsPage reads one page of all groups.
func (d *Directory) groupsPage(ctx context.Context, j *journal, c cursor) (receiver.Page, error) {
	const doing = "read groups"
	body, err := d.client.send(ctx, doing, "/groups", func(ctx context.Context) error {
		call := d.client.directory.Groups.List().Customer(customer).MaxResults(maxGroups).Fields(googleapi.Field(wire.GroupsFields))
		if c.Page != "" {
			call = call.PageToken(c.Page)
		}
		_, err := call.Context(ctx).Do()
		return err
	})
	p, err := d.page(doing, "groups", body, err, wire.Groups)
	if err != nil {
		return receiver.Page{}, err
	}
	return j.listed(p, c), nil
}

func (d *Directory) page(doing, of string, body []byte, err error, decode func([]byte) (wire.Page, error)) (wire.Page, error) {
	if err != nil {
		return wire.Page{}, err
	}
	p, err := decode(body)
	if err != nil {
		return wire.Page{}, fmt.Errorf("%s: %w", doing, err)
	}
	d.strange.nameless(of, p.Nameless)
	return p, nil
}

// listed is a page of the list of everything with the cursor behind it.
func (j *journal) listed(p wire.Page, c cursor) receiver.Page {
	page := receiver.Page{Observations: p.Observations, SetAside: p.SetAside, More: p.Next != ""}
	if c.Page = p.Next; !page.More {
		c = cursor{Stage: resting, Since: c.Since, Listed: c.Since}
		j.listEnded(c)
	}
	page.Cursor = c.String()
	return page
}
