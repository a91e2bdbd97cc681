// Package paging cuts lists into pages. Where one ends and the next begins is a cursor, which is of that list alone.
package paging

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/problem"
)

// List names a list with all that it is asked for by: the cursors of one are no cursors of another.
type List string

// Of makes one of an operation and what it is asked with.
func Of(operation string, asked ...string) List {
	return List(operation + "\x00" + strings.Join(asked, "\x00"))
}

// sumSize is how much of a checksum a cursor has. It tells cursors that were cut, changed or taken from elsewhere; it keeps no
// secret, for where a page begins gives nobody anything: what is read is what who asks may see.
const sumSize = 12

// Cursor says where the next page begins.
func (l List) Cursor(position ...string) string {
	body, err := json.Marshal(position)
	if err != nil { // text is always JSON
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(append(l.sum(body), body...))
}

func (l List) sum(body []byte) []byte {
	sum := sha256.Sum256(append([]byte("rollcall cursor 1\x00"+string(l)+"\x00"), body...))
	return sum[:sumSize]
}

// Read returns where a page begins, in n parts; without a cursor none.
func (l List) Read(cursor string, n int) ([]string, error) {
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

// Number is Read for a position that is one number, which is 0 without a cursor.
func (l List) Number(cursor string) (int64, error) {
	position, err := l.Read(cursor, 1)
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

// Limit is the most items of a page.
func Limit(asked int) int {
	if asked <= 0 {
		return defaultLimit
	}
	return min(asked, mostLimit)
}

// Cut cuts what is behind a position out of all, which is sorted, and says whether there is more.
func Cut[T any](all []T, behind func(T) bool, limit int) (items []T, more bool) {
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
