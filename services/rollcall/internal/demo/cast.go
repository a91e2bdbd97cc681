package demo

import (
	"context"
	"fmt"
	"slices"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// minUsers is how many users the story needs: those it plays with, and room for those who play no part.
const minUsers = 50

// groupSize is how many members the story's group is first filled with: a quarter of the users, so that the few who leave
// it one by one are no bulk that would be held.
func groupSize(users int) int { return max(minUsers/2, users/4) }

// cast are the users who play a part: all active, none a guest.
type cast struct {
	members []control.User    // groupSize of them
	outside []control.User    // not members
	names   map[string]string // of all users, by id
}

// hire picks the users of the story. People who were suspended or deleted since are left in peace, so that a story can
// be played again and again in one directory, and so is the admin in whose name Rollcall reads it, where there is one.
func (c company) hire(ctx context.Context, admin string) (cast, error) {
	users, err := c.users(ctx)
	if err != nil {
		return cast{}, err
	}
	names, size := map[string]string{}, groupSize(len(users))
	for _, u := range users {
		names[u.ID] = u.Name
	}
	active := slices.DeleteFunc(users, func(u control.User) bool { return u.Status != directory.Active || u.Guest || u.Address == admin })
	if len(active) < size+3 {
		return cast{}, fmt.Errorf("the story needs %d active users, and the directory has %d", size+3, len(active))
	}
	return cast{members: active[:size], outside: active[size:], names: names}, nil
}

// memberIDs are the ids of the cast's members.
func (c cast) memberIDs() []string {
	ids := make([]string, len(c.members))
	for i, u := range c.members {
		ids[i] = u.ID
	}
	return ids
}
