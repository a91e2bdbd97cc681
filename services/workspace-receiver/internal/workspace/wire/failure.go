package wire

import (
	"cmp"
	"encoding/json"
	"strings"
)

// Failure is what an error's body says that may be told: codes. Its message is only compared with those that are known,
// because messages name people.
type Failure struct {
	Reason string // as it stands, e.g. "notFound", "userRateLimitExceeded"; "" where none was told
	// Key is the parameter, "userKey", "groupKey" or "memberKey", of an object that does not exist, is of another type or
	// leads to nobody, as State says.
	Key   string
	State State
}

// State says what is wrong with what a request named.
type State string

// The states that Google's messages tell. Missing: "Resource Not Found: userKey". OtherType: "Type not supported: userKey",
// for the address of a group. Foreign: "Not Authorized to access this resource/api", for somebody else's objects, and for
// all of them where the admin lacks the privilege. Binned: "User is deleted.", while it can be brought back. Nobody:
// "Missing required field: memberKey", of a key that was sent and that no account has.
const (
	Missing   State = "missing"
	OtherType State = "other type"
	Foreign   State = "foreign"
	Binned    State = "deleted"
	Nobody    State = "nobody"
)

// ReadFailure reads the body of an answer that is no success. A gateway's page has nothing to tell.
func ReadFailure(body []byte) Failure {
	var in struct {
		Error json.RawMessage `json:"error"`
	}
	if _, err := decode(body, &in); err != nil || len(in.Error) == 0 {
		return Failure{}
	}
	var word string
	if json.Unmarshal(in.Error, &word) == nil {
		return Failure{Reason: word} // as authorities write it
	}
	var told struct {
		Message string `json:"message"`
		Status  string `json:"status"`
		Errors  []struct {
			Reason  string `json:"reason"`
			Message string `json:"message"`
		} `json:"errors"`
	}
	_, _ = decode(in.Error, &told)
	f := Failure{}
	f.read(told.Message)
	for _, e := range told.Errors {
		f.Reason = cmp.Or(f.Reason, e.Reason)
		f.read(e.Message)
	}
	f.Reason = cmp.Or(f.Reason, told.Status)
	return f
}

func (f *Failure) read(message string) {
	head, key, _ := strings.Cut(message, ":")
	key = strings.TrimSpace(key)
	known := key == "userKey" || key == "groupKey" || key == "memberKey"
	switch head = strings.TrimSpace(head); {
	case f.State != "":
	case strings.EqualFold(head, "Resource Not Found") && known:
		f.State, f.Key = Missing, key
	case strings.EqualFold(head, "Type not supported") && known:
		f.State, f.Key = OtherType, key
	case strings.EqualFold(head, "Missing required field") && key == "memberKey":
		f.State, f.Key = Nobody, key
	case strings.EqualFold(head, "Not Authorized to access this resource/api"):
		f.State = Foreign
	case strings.EqualFold(strings.TrimSuffix(head, "."), "User is deleted"):
		f.State = Binned
	}
}
