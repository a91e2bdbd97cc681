package googlepush

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/internal/googleerror"
)

// The bounds of a channel.
const (
	LongestLife = 6 * time.Hour // also what a channel gets that asks for nothing
	maxID       = 64            // characters
	maxToken    = 256           // characters
	maxBody     = 64 << 10      // bytes of a request
)

// Channel is a channel on the wire: what watch and stop are sent, and what watch answers.
type Channel struct {
	Kind        string            `json:"kind,omitempty"`
	ID          string            `json:"id,omitempty"`
	Type        string            `json:"type,omitempty"`
	Address     string            `json:"address,omitempty"`
	Token       string            `json:"token,omitempty"`
	Payload     flag              `json:"payload,omitempty"`
	Expiration  millis            `json:"expiration,omitempty"`
	Params      map[string]string `json:"params,omitempty"`
	ResourceID  string            `json:"resourceId,omitempty"`
	ResourceURI string            `json:"resourceUri,omitempty"`
}

// ReadChannel reads the body of a watch or stop request. Fields that are not a channel's are ignored.
func ReadChannel(body io.Reader) (Channel, error) {
	var c Channel
	if err := json.NewDecoder(io.LimitReader(body, maxBody)).Decode(&c); err != nil {
		e := googleerror.Invalid("Parse Error")
		e.Reason = "parseError"
		return Channel{}, e
	}
	return c, nil
}

// check holds a request to watch against the bounds. loopback allows plain http on a loopback address.
func (c Channel) check(loopback bool) error {
	switch {
	case c.ID == "":
		return googleerror.Required("id")
	case len([]rune(c.ID)) > maxID:
		return pushError("channelIdInvalid", "Channel id must not be longer than %d characters.", maxID)
	case c.Type == "":
		return googleerror.Required("type")
	case c.Type != "web_hook" && c.Type != "webhook":
		return pushError("unknownChannelType", "Unknown channel type: %.40s", c.Type)
	case c.Address == "":
		return googleerror.Required("address")
	case len([]rune(c.Token)) > maxToken:
		return pushError("channelTokenTooLong", "Channel token must not be longer than %d characters.", maxToken)
	}
	return checkAddress(c.Address, loopback)
}

// expires is when a channel ends that is asked for now: of what it asks for and what is granted, the earliest.
func (c Channel) expires(now time.Time, longest time.Duration) (time.Time, error) {
	at := now.Add(longest)
	if c.Expiration != 0 {
		asked := time.UnixMilli(int64(c.Expiration))
		if !asked.After(now) {
			return time.Time{}, pushError("expirationInPast", "Channel expiration must be in the future, in milliseconds since the epoch.")
		}
		at = earlier(at, asked)
	}
	if raw, ok := c.Params["ttl"]; ok {
		seconds, err := strconv.ParseInt(strings.TrimSpace(raw), 10, 64)
		if err != nil || seconds <= 0 {
			return time.Time{}, pushError("invalidTtl", "Invalid value for the parameter ttl: %.40q", raw)
		}
		if seconds < int64(longest/time.Second) {
			at = earlier(at, now.Add(time.Duration(seconds)*time.Second))
		}
	}
	return at.UTC().Truncate(time.Millisecond), nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func pushError(reason, format string, args ...any) *googleerror.Error {
	e := googleerror.Invalid(format, args...)
	e.Reason = reason
	return e
}

// millis is a time in milliseconds since the epoch: written as a string, as every int64 of Google's, read as a number too.
type millis int64

func (m millis) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, `"%d"`, int64(m)), nil }

func (m *millis) UnmarshalJSON(raw []byte) error {
	text := strings.Trim(string(raw), `"`)
	if text == "null" || text == "" {
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	*m = millis(n)
	return err
}

// flag is a boolean that is read from a string too.
type flag bool

func (f *flag) UnmarshalJSON(raw []byte) error {
	switch strings.Trim(string(raw), `"`) {
	case "true":
		*f = true
	case "false", "null", "":
		*f = false
	default:
		return errors.New("want true or false")
	}
	return nil
}
