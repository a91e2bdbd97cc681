package access_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/access"
)

func TestOwnPath(t *testing.T) {
	t.Parallel()
	for next, want := range map[string]string{
		"/": "/", "/tenants/contoso": "/tenants/contoso", "/tenants/contoso?q=is:licensed%20AND%20x": "/tenants/contoso?q=is:licensed%20AND%20x",
		"/a%20b": "/a%20b", "/users/%40": "/users/%40", "/x?next=//evil.example.com": "/x?next=//evil.example.com", "/x#part": "/x", "/x?": "/x",
		"": "/", "x": "/", "//evil": "/", "/\\evil": "/", "/a\\b": "/", "/%5c%5cevil": "/", "/%2fevil": "/", "https://evil": "/", "/./x": "/", "/a/../../x": "/",
		"/a b": "/", "/\x7f": "/", "/\u202e": "/", "/sign-in": "/", "/sign-in/google": "/", "/sign-in?next=/": "/", "/sign-out": "/", "/sign-inside": "/sign-inside",
		"/%zz": "/", "/" + strings.Repeat("a", 2048): "/",
	} {
		if got := access.OwnPath(next); got != want {
			t.Errorf("%q: %q, want %q", next, got, want)
		}
	}
}

// FuzzOwnPath: whatever somebody asks for, a browser at our site that is sent there stays, and asking again changes nothing.
func FuzzOwnPath(f *testing.F) {
	for _, seed := range []string{"/", "//evil", "/\\evil", "/\t/evil", "/%2f/evil", "/a?b=c#d", "https:evil", "/.//evil", "/:80", "/@evil", "/;//evil"} {
		f.Add(seed)
	}
	base, err := url.Parse("https://rollcall.example.com/sign-in/google/callback")
	if err != nil {
		f.Fatal(err)
	}
	// What browsers do with an address before they look at it.
	lax := strings.NewReplacer("\\", "/", "\t", "", "\n", "", "\r", "")
	f.Fuzz(func(t *testing.T, next string) {
		got := access.OwnPath(next)
		if got != access.OwnPath(got) {
			t.Errorf("%q: %q, and then %q", next, got, access.OwnPath(got))
		}
		for _, seen := range []string{got, lax.Replace(got), strings.TrimSpace(got)} {
			to, err := base.Parse(seen)
			if err != nil || to.Host != base.Host || to.Scheme != base.Scheme || to.User != nil || !strings.HasPrefix(seen, "/") || strings.HasPrefix(seen, "//") {
				t.Errorf("%q: %q leads to %v (%v)", next, seen, to, err)
			}
			if strings.HasPrefix(to.Path, "//") {
				t.Errorf("%q: %q has the path %q", next, seen, to.Path)
			}
		}
	})
}
