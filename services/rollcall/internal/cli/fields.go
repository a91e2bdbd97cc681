package cli

import (
	"errors"
	"strconv"
	"strings"

	"github.com/rollcall-hq/rollcall/pkg/licensing"
	"github.com/rollcall-hq/rollcall/services/rollcall/internal/output"
)

// same is a column that is the same in a table and in CSV.
func same[T any](name string, width int, text func(T) string) output.Field[T] {
	return output.Field[T]{Name: name, Width: width, Cell: text, Value: text}
}

// printAll prints a list that is all there.
func printAll[T any](a *app, fields []output.Field[T], items []T) error {
	rows := output.NewRows(a.printer, fields)
	var err error
	for _, item := range items {
		if err = rows.Write(item); err != nil {
			break
		}
	}
	return errors.Join(err, rows.Close())
}

// purchasedOf is how many seats were purchased, where that is set.
func purchasedOf(s licensing.Seats) *int {
	if s.Purchased < 0 {
		return nil
	}
	return &s.Purchased
}

// numberOr writes a number, or a word for one that is not set.
func numberOr(n *int, otherwise string) string {
	if n == nil {
		return otherwise
	}
	return strconv.Itoa(*n)
}

// first is the first of a user's addresses, by which people know the user.
func first(addresses []string) string {
	if len(addresses) == 0 {
		return ""
	}
	return addresses[0]
}

// joined are addresses in one cell.
func joined(addresses []string) string { return strings.Join(addresses, " ") }
