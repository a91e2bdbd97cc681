package licensing

// Unlimited is Seats.Purchased where nobody has said how many seats were bought.
const Unlimited = -1

// Seats are what a customer has bought of a product. Enforced, a seat must be free before somebody gets one; otherwise
// over-use is shown and nothing more.
type Seats struct {
	Purchased int // Unlimited where it is not known
	Enforce   bool
}

// limited reports whether seats can run out.
func (s Seats) limited() bool { return s.Enforce && s.Purchased >= 0 }

// Free is how many more users may be given a seat while used are taken. limited is false where any number may.
func (s Seats) Free(used int) (n int, limited bool) {
	if !s.limited() {
		return 0, false
	}
	return max(0, s.Purchased-used), true
}

// Exceeded reports whether more seats are used than were bought.
func (s Seats) Exceeded(used int) bool { return s.Purchased >= 0 && used > s.Purchased }

// Seat says whether a decision stands once seats are counted. Who holds a seat keeps it; who would get one needs a free
// one, and those who wait come first: ahead is how many of them there are, not counting the user.
func (s Seats) Seat(d Decision, holds bool, used, ahead int) Decision {
	free, limited := s.Free(used)
	if !d.Licensed || holds || !limited || free > ahead {
		return d
	}
	return Decision{Reason: OverSeatLimit}
}
