package apply

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// readConnection refuses what says nothing.
func readConnection(ev event.Event) (work, error) {
	data, err := event.Data[event.ConnectionObserved](ev)
	switch known := data.State == event.ConnectionWorking || data.State == event.ConnectionDegraded && data.Class != ""; {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	case !known:
		return nil, fmt.Errorf("%w: connection of state %q and class %q", ErrRefused, data.State, data.Class)
	case data.Credential != nil && data.Credential.Days > 0 && data.Credential.Expires.IsZero():
		return nil, fmt.Errorf("%w: a credential that ends soon, and not when", ErrRefused)
	}
	return func(s *session) error { return s.connectionObserved(data) }, nil
}

// connectionObserved tells each product what has changed about the connection since it was told last. What a receiver says that
// has lost the tenant comes with an older stamp than what its successor has said, and is passed over.
func (s *session) connectionObserved(data event.ConnectionObserved) error {
	if !s.tenant.Follows() {
		return nil
	}
	seen := ledger.Connection{Stamp: data.Stamp.Directory()}
	if data.State == event.ConnectionDegraded {
		seen.Class, seen.Check = data.Class, data.Check
		seen.Detail, seen.Action, seen.Since = s.sentence(data.Detail), s.sentence(data.Action), data.Since.UTC().Truncate(time.Microsecond)
		if seen.Since.IsZero() {
			seen.Since = s.now
		}
	}
	for _, p := range s.products {
		if err := s.connectionOf(p, seen, data.Unheard); err != nil {
			return err
		}
	}
	return s.credentialSeen(data)
}

// connectionOf tells one product. What was silent is so still where all that is known is that the directory can be read.
func (s *session) connectionOf(p *product, seen ledger.Connection, unheard bool) error {
	was, err := s.tx.Connection(p.ID)
	if err != nil || seen.Stamp.Compare(was.Stamp) <= 0 || unheard && was.Class == event.ClassSilent {
		return err
	}
	if seen.Product = p.ID; seen.Degraded() && was.Degraded() {
		seen.Since = was.Since
	}
	if err := s.tx.PutConnection(seen); err != nil {
		return err
	}
	subject := event.ConnectionSubject(s.tenant.Name, p.Name)
	switch {
	case seen.Degraded() && (seen.Class != was.Class || seen.Check != was.Check || seen.Action != was.Action):
		_, err = s.tell(p, event.TypeConnectionDegraded, subject, s.origin.cause, event.Degraded{
			Tenant: s.tenant.Name, Product: p.Name, Class: seen.Class, Since: seen.Since, Check: seen.Check,
			Detail: seen.Detail, Action: seen.Action,
		})
	case was.Degraded() && !seen.Degraded():
		_, err = s.tell(p, event.TypeConnectionRecovered, subject, s.origin.cause, event.Recovered{
			Tenant: s.tenant.Name, Product: p.Name, Class: was.Class, Since: was.Since,
		})
	}
	return err
}

// sentence is a text for people that the record may keep: there is always one, and it names nobody.
func (s *session) sentence(text string) string {
	if strings.Contains(text, "@") {
		text = ""
	}
	return cmp.Or(text, `Run "rollcall tenants verify `+s.tenant.Name+`".`)
}

// connectionEnded forgets what was told of the connection of a tenant that is not followed any more, and of its credential: that is
// told.
func (s *session) connectionEnded() error {
	for _, p := range s.products {
		was, err := s.tx.Connection(p.ID)
		if err != nil {
			return err
		}
		if was.Degraded() {
			if err := s.tx.PutConnection(ledger.Connection{Product: p.ID, Stamp: was.Stamp}); err != nil {
				return err
			}
		}
		of, err := s.tx.Credential(p.ID)
		if err != nil {
			return err
		}
		if !of.Expires.IsZero() {
			if err := s.tx.PutCredential(ledger.Credential{Product: p.ID, Stamp: of.Stamp}); err != nil {
				return err
			}
		}
	}
	return nil
}
