package apply

import "github.com/rollcall-hq/rollcall/pkg/event"

// activationReported keeps when a product first saw a user sign in, and tells what is news. It decides nothing.
func (s *session) activationReported(data event.ActivationReported) error {
	p := s.named(data.Product)
	if p == nil {
		return s.refuse(event.CodeBadRequest, "the tenant has no such product")
	}
	at := data.At
	if at.After(s.now) { // the product's clock is fast
		at = s.now
	}
	found, counts, err := s.tx.Activate(s.tenant.ID, p.ID, data.User, at)
	switch {
	case err != nil:
		return err
	case !found:
		return s.refuse(event.CodeBadRequest, "the directory has shown no such user")
	}
	if counts {
		_, err := s.tell(p, event.TypeUserActivated, event.ActivationSubject(s.tenant.Name, p.Name), s.origin.cause, event.UserActivated{
			Tenant: s.tenant.Name, Product: p.Name, User: data.User, At: at, By: data.By,
		})
		if err != nil {
			return err
		}
	}
	return s.answer(event.Answered{})
}
