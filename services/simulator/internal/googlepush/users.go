package googlepush

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// UsersPath is the resource of users.watch.
const UsersPath = "admin/directory/v1/users"

// users makes the pushes of users.watch: at once, one for each user that changed.
// Source: developers.google.com/workspace/admin/directory/v1/guides/push.
func users(_ store.View, changes []store.Change) []Message {
	var out []Message
	for _, c := range changes {
		if state := userState(c); state != "" {
			out = append(out, Message{
				Version: c.Version, Name: "users/" + c.ID,
				State: func(w Watched) (string, bool) { return state, w.Path == UsersPath && wants(w, c, state) },
				Body:  func() ([]byte, error) { return userBody(c) },
			})
		}
	}
	return out
}

// userState is what a change of a user is told as; empty is for what is told as nothing.
func userState(c store.Change) string {
	switch {
	case !c.IsUser(), c.Kind == store.UserPurged && !c.Acts.Has(store.Deleted):
		return "" // the end of a user that was deleted long ago
	case c.Acts.Has(store.Created):
		return "add"
	case c.Acts.Has(store.Deleted):
		return "delete"
	case c.Acts.Has(store.Restored):
		return "undelete"
	default:
		return "update"
	}
}

// wants reports whether a channel asked for the event; without an event it gets all. A domain limits it to its users.
func wants(w Watched, c store.Change, state string) bool {
	if event := w.Query.Get("event"); event != "" && event != state {
		return false
	}
	domain := w.Query.Get("domain")
	return domain == "" || domain == directory.Domain(c.Address) || domain == directory.Domain(c.Before)
}

// userBody is the little of a user that a push holds. Its ETag is not that of the user.
func userBody(c store.Change) ([]byte, error) {
	sum := sha256.Sum256(fmt.Appendf(nil, "push %s %d", c.ID, c.Version))
	return json.Marshal(map[string]string{
		"kind": "admin#directory#user", "id": c.ID, "primaryEmail": c.Address,
		"etag": `"` + base64.RawURLEncoding.EncodeToString(sum[:]) + `"`,
	})
}
