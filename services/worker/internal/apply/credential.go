package apply

import (
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
)

// credentialSeen tells each product what has changed about when the credential ends since it was told last.
func (s *session) credentialSeen(data event.ConnectionObserved) error {
	if data.Credential == nil {
		return nil
	}
	seen := ledger.Credential{
		Stamp: data.Stamp.Directory(), Expires: data.Credential.Expires.UTC().Truncate(time.Microsecond), Days: data.Credential.Days,
	}
	if seen.Days > 0 {
		seen.Detail, seen.Action = s.sentence(data.Credential.Detail), s.sentence(data.Credential.Action)
	}
	for _, p := range s.products {
		if err := s.credentialOf(p, seen); err != nil {
			return err
		}
	}
	return nil
}

// credentialOf tells one product. What was told of a credential stands until there is another: it comes only nearer to its end, and
// after that it is told no more.
func (s *session) credentialOf(p *product, seen ledger.Credential) error {
	was, err := s.tx.Credential(p.ID)
	if err != nil || seen.Stamp.Compare(was.Stamp) <= 0 {
		return err
	}
	seen.Product = p.ID
	same := seen.Expires.Equal(was.Expires)
	if same && was.Days > 0 && (seen.Days == 0 || seen.Days >= was.Days) {
		seen.Days, seen.Detail, seen.Action = was.Days, was.Detail, was.Action
	}
	if err := s.tx.PutCredential(seen); err != nil {
		return err
	}
	subject := event.ConnectionSubject(s.tenant.Name, p.Name)
	switch {
	case seen.Days > 0 && !(same && seen.Days == was.Days):
		_, err = s.tell(p, event.TypeCredentialExpiring, subject, s.origin.cause, event.CredentialExpiring{
			Tenant: s.tenant.Name, Product: p.Name, Expires: seen.Expires, Days: seen.Days, Detail: seen.Detail, Action: seen.Action,
		})
	case was.Days > 0 && seen.Days == 0:
		_, err = s.tell(p, event.TypeCredentialReplaced, subject, s.origin.cause, event.CredentialReplaced{
			Tenant: s.tenant.Name, Product: p.Name, Was: was.Expires, Expires: seen.Expires,
		})
	}
	return err
}
