package licensing

// Guard says which bulk revocations are held until somebody has looked at them.
type Guard struct {
	Share int // percent of a product's licenses; 0: none are ever held
	Least int // the fewest revocations that are a bulk
}

// Bulk reports whether revoking n licenses, after others that were revoked within the hour, is to be held. licensed is
// how many hold one now, so that what is measured against is the number at the hour's begin.
func (g Guard) Bulk(n, others, licensed int) bool {
	all := n + others
	return n > 0 && g.Share > 0 && all >= g.Least && all*100 > g.Share*(licensed+others)
}

// Alone reports whether a revocation is of the kind that is never held when it comes by itself: the provider has said
// that this one user may not sign in any more, or is gone.
func (r Reason) Alone() bool { return r == Suspended || r == Deleted }
