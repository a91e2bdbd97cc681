package push

import (
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// mostMembers is how many entries one members@delta holds; a bigger change becomes several items.
const mostMembers = 100

// item is one notification.
type item struct {
	tenant, subscription string
	expires              time.Time
	clientState          string
	lifecycle            string // set for a lifecycle notification: no more than the fields above then

	resource string // users or groups
	id       string
	change   string // updated or deleted
	members  []member
	version  uint64
	at       time.Time
	seq      uint64 // the order in which items came up
}

type member struct {
	id      string
	removed bool
}

// to addresses a copy of the item to a subscription.
func (it item) to(tenant string, sub *store.Subscription) item {
	it.tenant, it.subscription, it.expires, it.clientState = tenant, sub.ID, sub.Expires, sub.ClientState
	it.members = append([]member(nil), it.members...)
	return it
}

// gather makes items of the changes of one mutation: one for each user and group, more when many members changed.
// Links that come and go with a deleted or restored member are not told.
func gather(changes []store.Change) []item {
	var out []item
	at := map[string]int{} // index in out of an object's last item
	for _, c := range changes {
		it := item{resource: "groups", id: c.ID, change: "updated", version: c.Version, at: c.At}
		switch c.Kind {
		case store.UserChanged:
			it.resource = "users"
		case store.UserPurged:
			it.resource, it.change = "users", "deleted"
		case store.GroupPurged:
			it.change = "deleted"
		case store.MemberJoined, store.MemberLeft:
			if c.Implied {
				continue
			}
			it.members = []member{{c.Member, c.Kind == store.MemberLeft}}
		}
		if i, ok := at[c.ID]; ok && out[i].absorb(it) {
			continue
		}
		at[c.ID] = len(out)
		out = append(out, it)
	}
	return out
}

// absorb adds a later change of the same object to the item, when it has room. A member that was added and removed shows
// up twice, as it does at Graph.
func (it *item) absorb(later item) bool {
	if it.change != later.change || len(it.members)+len(later.members) > mostMembers {
		return false
	}
	it.members = append(it.members, later.members...)
	if later.version > it.version { // else it was kept back
		it.version, it.at = later.version, later.at
	}
	it.seq = max(it.seq, later.seq)
	return true
}

// body is what Graph sends for the items. Sources: learn.microsoft.com/graph/api/resources/changenotification and
// change-notifications-lifecycle-events; members@delta as seen in the wild.
func body(items []item) map[string]any {
	values := make([]any, len(items))
	for i, it := range items {
		values[i] = it.render()
	}
	return map[string]any{"value": values}
}

func (it item) render() map[string]any {
	out := map[string]any{
		"subscriptionId": it.subscription, "tenantId": it.tenant,
		"subscriptionExpirationDateTime": it.expires.UTC().Format("2006-01-02T15:04:05.0000000-07:00"),
	}
	if it.clientState != "" {
		out["clientState"] = it.clientState
	}
	if it.lifecycle != "" {
		out["lifecycleEvent"] = it.lifecycle
		return out
	}
	out["changeType"], out["resource"], out["resourceData"] = it.change, it.path(), it.data()
	return out
}

// path is the resource as notifications write it, with a capital.
func (it item) path() string {
	if it.resource == "users" {
		return "Users/" + it.id
	}
	return "Groups/" + it.id
}

func (it item) data() map[string]any {
	data := map[string]any{"@odata.type": "#Microsoft.Graph.Group", "@odata.id": it.path(), "id": it.id, "organizationId": it.tenant}
	if it.resource == "users" {
		data["@odata.type"] = "#Microsoft.Graph.User"
		data["eventTime"] = it.at.UTC().Format("2006-01-02T15:04:05.0000000Z")
		data["sequenceNumber"] = ticks(it.at)
		return data
	}
	if len(it.members) > 0 {
		links := make([]any, len(it.members))
		for i, m := range it.members {
			link := map[string]any{"id": m.id}
			if m.removed {
				link["@removed"] = "deleted" // a string here, an object in delta
			}
			links[i] = link
		}
		data["members@delta"] = links
	}
	return data
}

// ticks counts 100 ns since the year 1, as .NET does: a number too large for a float64.
func ticks(t time.Time) int64 { return t.UnixNano()/100 + 621355968000000000 }
