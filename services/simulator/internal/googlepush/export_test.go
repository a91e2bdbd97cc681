package googlepush

import "time"

// Granted is what Watch checks before it stores anything: the bounds, and until when the channel would live.
func (c Channel) Granted(now time.Time, loopback bool) (time.Time, error) {
	if err := c.check(loopback); err != nil {
		return time.Time{}, err
	}
	return c.expires(now, LongestLife)
}
