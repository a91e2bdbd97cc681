package demo

import (
	"context"
	"fmt"
	"slices"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// groupSize is how many members the story's group is first filled with.
const groupSize = 25

// minUsers is how many users the story needs: those it plays with, and room for those who play no part.
const minUsers = 50

// cast are the users who play a part: all active, none a guest.
type cast struct {
	members []control.User // groupSize of them
	outside []control.User // not members
}

// hire picks the users of the story. People who were suspended or deleted since are left in peace, so that a story can
// be played again and again in one directory, and so is the admin in whose name Rollcall reads it, where there is one.
func (c company) hire(ctx context.Context, admin string) (cast, error) {
	users, err := c.users(ctx)
	if err != nil {
		return cast{}, err
	}
	active := slices.DeleteFunc(users, func(u control.User) bool { return u.Status != directory.Active || u.Guest || u.Address == admin })
	if len(active) < groupSize+3 {
		return cast{}, fmt.Errorf("the story needs %d active users, and the directory has %d", groupSize+3, len(active))
	}
	return cast{members: active[:groupSize], outside: active[groupSize:]}, nil
}

// memberIDs are the ids of the cast's members.
func (c cast) memberIDs() []string {
	ids := make([]string, len(c.members))
	for i, u := range c.members {
		ids[i] = u.ID
	}
	return ids
}
