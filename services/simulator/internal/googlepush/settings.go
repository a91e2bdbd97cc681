package googlepush

import (
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

// DocumentedContentType is what Google documents for pushes with a body, and what no parser of media types takes.
const DocumentedContentType = "application/json; utf-8"

// longest is the longest life that a channel is granted.
func longest(s control.Settings) time.Duration {
	if s.ChannelLife > 0 && s.ChannelLife < LongestLife {
		return s.ChannelLife
	}
	return LongestLife
}

// contentType is what the message of a number is sent as.
func contentType(p control.Push, number uint64) string {
	if len(p.ContentTypes) == 0 {
		return DocumentedContentType
	}
	return p.ContentTypes[number%uint64(len(p.ContentTypes))]
}
