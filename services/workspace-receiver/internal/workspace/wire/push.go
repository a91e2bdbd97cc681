package wire

import (
	"bytes"
	"encoding/json"
	"errors"
)

// Push is the body of a pushed message. Exactly one of the fields is set, or none where the body is empty.
type Push struct {
	Activity *Activity // of the Reports API
	UserID   string    // of a watch on users
}

// ReadPush reads a pushed body. Activities are one for each body; application is what the message's headers say, for one
// that does not say so itself. An error never quotes the body.
func ReadPush(body []byte, application string) (Push, error) {
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		return Push{}, nil
	}
	var in struct {
		ID     json.RawMessage `json:"id"`
		Events json.RawMessage `json:"events"`
	}
	if odd, err := decode(body, &in); err != nil || odd {
		return Push{}, errors.New("read push: not a JSON object")
	}
	if bytes.HasPrefix(in.ID, []byte("{")) || len(in.Events) > 0 {
		a := readActivity(body, application)
		return Push{Activity: &a}, nil
	}
	var id digits
	_ = json.Unmarshal(in.ID, &id) // one of another kind is none
	if !ValidID(string(id)) {
		return Push{}, errors.New("read push: neither an activity nor a user")
	}
	return Push{UserID: string(id)}, nil
}
