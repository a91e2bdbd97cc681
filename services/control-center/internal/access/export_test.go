package access

// Len is how many callers are remembered.
func (l *Limiter) Len() int { return l.callers.Len() }
