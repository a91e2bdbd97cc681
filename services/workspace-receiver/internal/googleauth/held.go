package googleauth

import (
	"time"

	"golang.org/x/oauth2"
)

const (
	// early is how long before its end a token is replaced, so that one that was just given is never too old when it
	// arrives, and an authority that is away for a moment is noticed by nobody.
	early = 5 * time.Minute
	// last is how short before its end a token is given no longer.
	last = 10 * time.Second
	// pause is how long a token is kept after its replacement could not be fetched.
	pause = 30 * time.Second
	// refusedAgain is how long a refused token is kept before it is given up again: what was just granted may show only in
	// a new one, but an API that keeps refusing must not make us ask with each request.
	refusedAgain = time.Minute
)

// held is a token and what is to become of it, on the clock that was given: the libraries only know the system's.
type held struct {
	token              *oauth2.Token
	since, again, ends time.Time
}

func hold(t *oauth2.Token, now time.Time) held {
	life := time.Until(t.Expiry)
	token := *t
	token.Expiry = now.Add(life)
	return held{token: &token, since: now, again: now.Add(life - min(early, life/4)), ends: token.Expiry}
}

// fresh reports whether there is no need of another token yet.
func (h held) fresh(now time.Time) bool { return h.token != nil && now.Before(h.again) && h.good(now) }

// good reports whether the token can still be given.
func (h held) good(now time.Time) bool { return h.token != nil && now.Before(h.ends.Add(-last)) }
