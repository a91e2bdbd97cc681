package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

var (
	// ErrUnavailable says that NATS did not take or answer it: away, closing, out of space, or too late. Whether a
	// publish that timed out was stored is unknown; its Nats-Msg-Id or expected sequence makes trying again safe.
	ErrUnavailable = errors.New("NATS is unavailable")
	// ErrFull says that a stream, or its server, holds as much as it may and refuses new messages. It comes with ErrUnavailable.
	ErrFull = errors.New("it is full")
	// ErrUnexpectedSequence says that the stream's last sequence is not the one that the publisher expected: somebody
	// else has written. Nothing was stored.
	ErrUnexpectedSequence = errors.New("the stream's last sequence is not the expected one")
	// ErrDuplicate says that a batch holds an id that the stream already knows. Nothing of the batch was stored.
	ErrDuplicate = errors.New("the batch holds a message that the stream already has")
)

// Codes of the server's errors.json (nats-server 2.15), where the client has no constant for them.
const (
	codeStorageExceeded         jetstream.ErrorCode = 10047
	codeWrongLastSequence       jetstream.ErrorCode = 10071
	codeStoreFailed             jetstream.ErrorCode = 10077 // its description says why
	codeDuplicateInProcess      jetstream.ErrorCode = 10158
	codeWrongLastSequenceInBulk jetstream.ErrorCode = 10164
	codeIncompleteBatch         jetstream.ErrorCode = 10176
	codeDuplicateInBatch        jetstream.ErrorCode = 10201
)

// classify adds the sentinel that tells callers what to do; the cause stays in the chain.
func classify(err error) error {
	if err == nil || errors.Is(err, ErrUnavailable) {
		return err
	}
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return classifyAPI(err, api)
	}
	for _, away := range []error{
		nats.ErrNoResponders, jetstream.ErrNoStreamResponse, nats.ErrTimeout, context.DeadlineExceeded,
		nats.ErrConnectionClosed, jetstream.ErrConnectionClosed, nats.ErrConnectionDraining, nats.ErrConnectionReconnecting,
		nats.ErrDisconnected, nats.ErrReconnectBufExceeded, nats.ErrNoServers, nats.ErrStaleConnection,
		jetstream.ErrJetStreamNotEnabled, jetstream.ErrNoHeartbeat,
	} {
		if errors.Is(err, away) {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
	return err
}

func classifyAPI(err error, api *jetstream.APIError) error {
	switch api.ErrorCode {
	case codeWrongLastSequence, codeWrongLastSequenceInBulk:
		return fmt.Errorf("%w: %w", ErrUnexpectedSequence, err)
	case codeDuplicateInBatch:
		return fmt.Errorf("%w: %w", ErrDuplicate, err)
	case codeStorageExceeded:
		return fmt.Errorf("%w: %w: %w", ErrUnavailable, ErrFull, err)
	case codeDuplicateInProcess, codeIncompleteBatch:
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if api.ErrorCode == codeStoreFailed && strings.HasPrefix(api.Description, "maximum ") {
		return fmt.Errorf("%w: %w: %w", ErrUnavailable, ErrFull, err)
	}
	if api.Code >= 500 || api.Code == 429 { // stream full or offline, no quorum, too many batches in flight
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}
