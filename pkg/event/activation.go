package event

import "time"

// UserActivated says when a product first saw a user sign in: that it has, or that it was earlier than was told before.
type UserActivated struct {
	Tenant  string    `json:"tenant"`
	Product string    `json:"product"`
	User    string    `json:"user"` // the provider's id
	At      time.Time `json:"at"`
	By      string    `json:"by"` // who reported it, see ValidActor
}
