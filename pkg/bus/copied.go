package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// sourceHeader is what the server puts on a message that it copies from another stream: the stream's name, the message's
// sequence there, and more (nats-server 2.15, genSourceHeader).
const sourceHeader = "Nats-Stream-Source"

// origin reads the sequence in the stream that a message was copied from, 0 where it was published.
func origin(header nats.Header) uint64 {
	fields := strings.Fields(headerValue(header, sourceHeader))
	if len(fields) < 2 {
		return 0
	}
	n, err := strconv.ParseUint(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// verifyCopied refuses entitlements that are ahead of LICENSES, which was made anew or brought back from an older copy
// then: the server goes on behind the last sequence that it copied, so what comes before would never be copied.
func (b *Bus) verifyCopied(ctx context.Context) error {
	copies, err := b.js.Stream(ctx, bucketStream(BucketEntitlements))
	if err != nil {
		return err
	}
	last := copies.CachedInfo().State.LastSeq
	if last == 0 {
		return nil
	}
	msg, err := copies.GetMsg(ctx, last)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil // a newer one has replaced it since
	}
	if err != nil {
		return fmt.Errorf("read the last copy: %w", err)
	}
	record, err := b.js.Stream(ctx, Licenses) // asked for last: it is never behind its copies
	if err != nil {
		return err
	}
	if at, end := origin(msg.Header), record.CachedInfo().State.LastSeq; at > end {
		return fmt.Errorf("it holds event %d of %s, which ends at %d: %s is not the stream that it was copied from; "+
			"bring back both of one moment, or delete %s to have it filled again", at, Licenses, end, Licenses, copies.CachedInfo().Config.Name)
	}
	return nil
}
