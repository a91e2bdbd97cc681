package paging_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/paging"
)

// TestPagesAreTheList: whatever its size and that of a page, the pages one after the other are the list.
func TestPagesAreTheList(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := slices.Compact(slices.Sorted(slices.Values(rapid.SliceOf(rapid.IntRange(1, 99)).Draw(t, "list"))))
		limit := rapid.IntRange(1, 20).Draw(t, "limit")
		var got []int
		last, more := 0, true
		for more {
			var items []int
			items, more = paging.Cut(all, func(n int) bool { return n > last }, limit)
			if len(items) > limit || more && len(items) < limit {
				t.Fatalf("a page of %d, and more: %v", len(items), more)
			}
			if got = append(got, items...); more {
				last = items[len(items)-1]
			}
		}
		if !slices.Equal(got, all) {
			t.Fatalf("%v, want %v", got, all)
		}
	})
}

// TestCursorsAreOfOneList: a cursor reads as it was written, and neither another list's nor a changed one reads at all.
func TestCursorsAreOfOneList(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		asked := rapid.SliceOfN(rapid.String(), 1, 4).Draw(t, "asked")
		position := rapid.SliceOfN(rapid.StringMatching(`[a-z@. ü0-9]{0,20}`), 1, 3).Draw(t, "position")
		list := paging.Of("list", asked...)
		cursor := list.Cursor(position...)
		if got, err := list.Read(cursor, len(position)); err != nil || !slices.Equal(got, position) {
			t.Fatalf("%q, %v, want %q", got, err, position)
		}
		for name, read := range map[string]func() ([]string, error){
			"another operation": func() ([]string, error) { return paging.Of("other", asked...).Read(cursor, len(position)) },
			"another question":  func() ([]string, error) { return paging.Of("list", append(asked, "x")...).Read(cursor, len(position)) },
			"another form":      func() ([]string, error) { return list.Read(cursor, len(position)+1) },
			"a changed one": func() ([]string, error) {
				raw := []byte(cursor)
				i := rapid.IntRange(0, len(raw)-2).Draw(t, "where") // the last character may have bits that count for nothing
				raw[i] = map[bool]byte{true: 'A', false: 'B'}[raw[i] != 'A']
				return list.Read(string(raw), len(position))
			},
		} {
			if got, err := read(); err == nil {
				t.Fatalf("%s reads %q", name, got)
			}
		}
	})
}
