package apply

import "github.com/rollcall-hq/rollcall/pkg/event"

// activationReported keeps when a product first saw a user sign in. It decides nothing, and is told to nobody else.
func (s *session) activationReported(data event.ActivationReported) error {
	p := s.named(data.Product)
	if p == nil {
		return s.refuse(event.CodeBadRequest, "the tenant has no such product")
	}
	at := data.At
	if at.After(s.now) { // the product's clock is fast
		at = s.now
	}
	found, err := s.tx.Activate(s.tenant.ID, p.ID, data.User, at)
	switch {
	case err != nil:
		return err
	case !found:
		return s.refuse(event.CodeBadRequest, "the directory has shown no such user")
	default:
		return s.answer(event.Answered{})
	}
}
