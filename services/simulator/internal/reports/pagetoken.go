package reports

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"
)

// pageToken says where the next page begins: behind one activity, in the direction of older ones.
type pageToken struct {
	Start, End int64  // the range of the first page, in ms
	First      uint64 // of the last activity on the page before
	Index      uint32 // of that activity
	Sum        string // of the query's other parameters
}

const (
	tokenSum  = 12                 // bytes
	tokenSize = 3*8 + 4 + tokenSum // bytes
)

var errToken = errors.New("it is no page token")

func (t pageToken) String() string {
	raw := make([]byte, 0, tokenSize)
	raw = binary.BigEndian.AppendUint64(raw, uint64(t.Start)) //nolint:gosec // read back in the same way
	raw = binary.BigEndian.AppendUint64(raw, uint64(t.End))   //nolint:gosec // read back in the same way
	raw = binary.BigEndian.AppendUint64(raw, t.First)
	raw = binary.BigEndian.AppendUint32(raw, t.Index)
	return "A:" + base64.RawURLEncoding.EncodeToString(append(raw, t.Sum...))
}

func parsePageToken(text string) (pageToken, error) {
	if len(text) < 2 || text[:2] != "A:" {
		return pageToken{}, errToken
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text[2:])
	if err != nil || len(raw) != tokenSize {
		return pageToken{}, errToken
	}
	t := pageToken{
		Start: int64(binary.BigEndian.Uint64(raw)), End: int64(binary.BigEndian.Uint64(raw[8:])), //nolint:gosec // as written
		First: binary.BigEndian.Uint64(raw[16:]), Index: binary.BigEndian.Uint32(raw[24:]), Sum: string(raw[28:]),
	}
	if limit := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli(); t.Start < 0 || t.End > limit || t.Start > t.End {
		return pageToken{}, errToken
	}
	return t, nil
}
