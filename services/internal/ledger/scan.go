package ledger

import (
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// scanMicros scans a stored time.
func scanMicros(t *time.Time) sql.Scanner { return timeScanner{t} }

type timeScanner struct{ t *time.Time }

func (s timeScanner) Scan(value any) error {
	switch n := value.(type) {
	case nil:
		*s.t = time.Time{}
	case int64:
		*s.t = fromMicros(n)
	default:
		return fmt.Errorf("a time is stored as %T", value)
	}
	return nil
}

// scanDuration scans a length of time that is stored in microseconds.
func scanDuration(d *time.Duration) sql.Scanner { return durationScanner{d} }

type durationScanner struct{ d *time.Duration }

func (s durationScanner) Scan(value any) error {
	n, ok := value.(int64)
	if !ok {
		return fmt.Errorf("a length of time is stored as %T", value)
	}
	*s.d = time.Duration(n) * time.Microsecond
	return nil
}

// scanLines scans a list that is stored as one line each.
func scanLines(list *[]string) sql.Scanner { return lineScanner{list} }

type lineScanner struct{ list *[]string }

func (s lineScanner) Scan(value any) error {
	text, err := asText(value)
	if err != nil {
		return err
	}
	*s.list = nil
	if text != "" {
		*s.list = strings.Split(text, "\n")
	}
	return nil
}

// scanPath scans the numbers of groups, separated by commas.
func scanPath(path *[]int64) sql.Scanner { return pathScanner{path} }

type pathScanner struct{ path *[]int64 }

func (s pathScanner) Scan(value any) error {
	text, err := asText(value)
	if err != nil {
		return err
	}
	*s.path = nil
	if text == "" {
		return nil
	}
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.ParseInt(part, 10, 64)
		if err != nil {
			return fmt.Errorf("stored path %q: %w", text, err)
		}
		*s.path = append(*s.path, n)
	}
	return nil
}

func asText(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case []byte:
		return string(v), nil
	default:
		return "", fmt.Errorf("a text is stored as %T", value)
	}
}

func pathText(path []int64) string {
	parts := make([]string, len(path))
	for i, id := range path {
		parts[i] = strconv.FormatInt(id, 10)
	}
	return strings.Join(parts, ",")
}

// longest is how long an address may be: no mail system takes so long a one, and Postgres has no index for longer ones.
const longest = 1000

// storable is a text as every database can hold it: Postgres has no place for the character 0.
func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// presentable is what can be kept of how a directory shows something: its name, and the addresses that can be ones.
func presentable(name string, addresses []string) (string, []string) {
	var kept []string
	for _, a := range addresses {
		if len(a) <= longest {
			kept = append(kept, storable(a))
		}
	}
	return storable(name), kept
}
