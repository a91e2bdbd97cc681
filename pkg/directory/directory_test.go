package directory_test

import (
	"slices"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

func TestAddresses(t *testing.T) {
	t.Parallel()
	got := directory.Addresses(" Ada@Contoso.com", "", "smtp:ada@contoso.com", "a.lovelace@contoso.com", "ADA@contoso.com")
	if want := []string{"ada@contoso.com", "a.lovelace@contoso.com"}; !slices.Equal(got, want) {
		t.Errorf("Addresses = %q, want %q", got, want)
	}
	if got := directory.Addresses("", " "); got != nil {
		t.Errorf("Addresses of none = %q", got)
	}
}
