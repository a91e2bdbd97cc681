package pages

import (
	"github.com/rollcall-hq/rollcall/services/control-center/internal/channels"
)

// channelBadge says what a push channel is good for.
func channelBadge(state channels.State) badge {
	switch state {
	case channels.Pending:
		return badge{"info", "clock", "Being asked for"}
	case channels.Retired, channels.Ended:
		return badge{"plain", "minus", "Replaced"}
	case channels.Expired:
		return badge{"bad", "x", "Expired"}
	case channels.Live:
	}
	return badge{"good", "check", "Live"}
}
