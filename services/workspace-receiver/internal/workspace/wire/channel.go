package wire

import (
	"errors"
	"strconv"
	"time"
)

// Channel is the answer to a watch request.
type Channel struct {
	ID         string
	ResourceID string    // "" where none was told: the channel cannot be stopped then
	Expires    time.Time // zero where none was told
}

// ReadChannel reads the answer to a watch request. The documents show the expiration, milliseconds, both as a string and as
// a number; the SDK takes the string only.
func ReadChannel(body []byte) (Channel, error) {
	var in struct {
		ID         string `json:"id"`
		ResourceID string `json:"resourceId"`
		Expiration digits `json:"expiration"`
	}
	if _, err := decode(body, &in); err != nil {
		return Channel{}, err
	}
	if in.ID == "" {
		return Channel{}, errors.New("the answer names no channel")
	}
	c := Channel{ID: in.ID, ResourceID: Opaque(in.ResourceID)}
	if ms, err := strconv.ParseInt(string(in.Expiration), 10, 64); err == nil && ms > 0 {
		c.Expires = time.UnixMilli(ms).UTC()
	}
	return c, nil
}
