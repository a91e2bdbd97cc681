package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/problem"
)

// list names a list with all that it is asked for by: the cursors of one are no cursors of another.
type list string

// listOf makes one of an operation and what it is asked with.
func listOf(operation string, asked ...string) list {
	return list(operation + "\x00" + strings.Join(asked, "\x00"))
}

// sumSize is how much of a checksum a cursor has. It tells cursors that were cut, changed or taken from elsewhere; it keeps no
// secret, for where a page begins gives nobody anything: what is read is what who asks may see.
const sumSize = 12

// cursor says where the next page begins.
func (l list) cursor(position ...string) string {
	body, err := json.Marshal(position)
	if err != nil { // text is always JSON
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(append(l.sum(body), body...))
}

func (l list) sum(body []byte) []byte {
	sum := sha256.Sum256(append([]byte("rollcall cursor 1\x00"+string(l)+"\x00"), body...))
	return sum[:sumSize]
}

// read returns where a page begins, in n parts; without a cursor none.
func (l list) read(cursor string, n int) ([]string, error) {
	if cursor == "" {
		return nil, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(raw) < sumSize || !bytes.Equal(raw[:sumSize], l.sum(raw[sumSize:])) {
		return nil, problem.New(problem.InvalidCursor, "")
	}
	var position []string
	if err := json.Unmarshal(raw[sumSize:], &position); err != nil || len(position) != n {
		return nil, problem.New(problem.InvalidCursor, "")
	}
	return position, nil
}

// number is read for a position that is one number, which is 0 without a cursor.
func (l list) number(cursor string) (int64, error) {
	position, err := l.read(cursor, 1)
	if position == nil || err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(position[0], 10, 64)
	if err != nil || n < 0 {
		return 0, problem.New(problem.InvalidCursor, "")
	}
	return n, nil
}

const (
	defaultLimit = 100
	mostLimit    = 500
)

// limited is the most items of a page.
func limited(asked int) int {
	if asked <= 0 {
		return defaultLimit
	}
	return min(asked, mostLimit)
}

// page cuts what is behind a position out of all, which is sorted, and says whether there is more.
func page[T any](all []T, behind func(T) bool, limit int) (items []T, more bool) {
	items = make([]T, 0, min(limit, len(all)))
	for _, one := range all {
		switch {
		case !behind(one):
		case len(items) == limit:
			return items, true
		default:
			items = append(items, one)
		}
	}
	return items, false
}
