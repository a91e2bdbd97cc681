package push

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

const handshakeAnswer = 10 * time.Second

// What a handshake ends with, in Graph's words.
var (
	errNoAnswer  = errors.New("Subscription validation request timed out.")                                                                    //nolint:staticcheck // Graph's words
	errNotOK     = errors.New("Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request.") //nolint:staticcheck // Graph's words
	errWrongEcho = errors.New("Subscription validation request failed. Response must exactly match validationToken query parameter.")          //nolint:staticcheck // Graph's words
	errWrongType = errors.New("Subscription validation request failed. Response content type must be text/plain.")                             //nolint:staticcheck // Graph's words
)

// Validate asks a notification URL to echo a token: 200, text/plain, the decoded token and nothing else, within 10 s.
// Source: learn.microsoft.com/graph/change-notifications-delivery-webhooks.
func (h *Hub) Validate(ctx context.Context, notificationURL string) error {
	ctx, cancel := context.WithTimeout(ctx, handshakeAnswer)
	defer cancel()
	u, err := url.Parse(notificationURL)
	if err != nil {
		return errNotOK
	}
	token := "Validation: Testing client application reachability for subscription Request-Id: " + store.NewID()
	query := u.Query()
	query.Set("validationToken", token)
	u.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), http.NoBody)
	if err != nil {
		return errNotOK
	}
	req.Header.Set("Content-Type", "text/plain; charset=utf-8")
	res, err := h.Client.Do(req)
	if errors.Is(err, context.DeadlineExceeded) {
		return errNoAnswer
	}
	if err != nil {
		return errNotOK
	}
	defer func() { _ = res.Body.Close() }()
	echo, err := io.ReadAll(io.LimitReader(res.Body, 4<<10))
	mediaType, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return errNoAnswer
	case res.StatusCode != http.StatusOK:
		return errNotOK
	case mediaType != "text/plain":
		return errWrongType
	case string(echo) != token:
		return errWrongEcho
	}
	return nil
}
