package entra

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/services/simulator/internal/store"
)

// The bounds of a subscription to users or groups. Source: learn.microsoft.com/graph/api/resources/subscription.
const (
	longestLife    = 41760 * time.Minute
	shortestLife   = 45 * time.Minute // a shorter one is raised to it
	maxClientState = 128
	standardQuota  = 100 // for an app in a tenant
)

// subscriptionBody is what POST and PATCH send.
type subscriptionBody struct {
	ChangeType   string     `json:"changeType"`
	URL          string     `json:"notificationUrl"`
	LifecycleURL string     `json:"lifecycleNotificationUrl"`
	Resource     string     `json:"resource"`
	Expires      *time.Time `json:"expirationDateTime"`
	ClientState  string     `json:"clientState"`
	TLSVersion   string     `json:"latestSupportedTlsVersion"`
}

// createSubscription checks, does the handshake and stores, in that order; no lock is held during the handshake.
func (s *Server) createSubscription(c *call) error {
	var body subscriptionBody
	if err := c.body(&body); err != nil {
		return err
	}
	if err := s.checkSubscription(c, body); err != nil {
		return err
	}
	expires, err := s.life(body.Expires)
	if err != nil {
		return err
	}
	sub := store.Subscription{
		ID: store.NewID(), AppID: c.tenant.App.ClientID, Resource: body.Resource, ChangeType: body.ChangeType,
		URL: body.URL, LifecycleURL: body.LifecycleURL, ClientState: body.ClientState, TLSVersion: body.TLSVersion,
		Expires: expires, Created: s.now(),
	}
	if sub.TLSVersion == "" {
		sub.TLSVersion = "v1_2"
	}
	if err := s.Store.View(c.tenant.DirectoryID, func(v store.View) error { return s.room(v.Subscriptions(), sub) }); err != nil {
		return err
	}
	for _, u := range []string{sub.URL, sub.LifecycleURL} {
		if u == "" {
			continue
		}
		if err := s.Push.Validate(c.r.Context(), u); err != nil {
			return &apiError{status: http.StatusBadRequest, code: "ValidationError", message: err.Error()}
		}
	}
	err = s.Store.PutSubscription(c.tenant.DirectoryID, sub, func(others []*store.Subscription) error { return s.room(others, sub) })
	if err != nil {
		return err
	}
	out := render(&sub)
	out["clientState"] = text(sub.ClientState) // told here only
	out["@odata.context"] = c.context("subscriptions", nil) + "/$entity"
	return c.reply(http.StatusCreated, out)
}

// checkSubscription checks all but the time.
func (s *Server) checkSubscription(c *call, b subscriptionBody) error {
	for name, value := range map[string]string{"changeType": b.ChangeType, "notificationUrl": b.URL, "resource": b.Resource} {
		if value == "" {
			return invalidSubscription("Property '%s' is required.", name)
		}
	}
	for change := range strings.SplitSeq(strings.ReplaceAll(b.ChangeType, " ", ""), ",") {
		if !slices.Contains([]string{"created", "updated", "deleted"}, change) {
			return invalidSubscription("Invalid 'changeType' attribute: '%.40s'.", b.ChangeType)
		}
	}
	if len(b.ClientState) > maxClientState {
		return invalidSubscription("Property 'clientState' must not be longer than %d characters.", maxClientState)
	}
	if err := s.checkURL("notificationUrl", b.URL); err != nil {
		return err
	}
	if b.LifecycleURL != "" {
		if err := s.checkURL("lifecycleNotificationUrl", b.LifecycleURL); err != nil {
			return err
		}
	}
	return s.checkResource(c, b.Resource)
}

// checkResource knows users, users/{id}, groups, groups/{id} and groups/{id}/members.
func (s *Server) checkResource(c *call, resource string) error {
	parts := strings.Split(strings.ToLower(strings.Trim(resource, "/")), "/")
	need, known := readUsers, len(parts) <= 2
	if parts[0] == "groups" {
		need, known = readGroups, len(parts) <= 2 || len(parts) == 3 && parts[2] == "members"
	}
	if parts[0] != "users" && parts[0] != "groups" || !known || strings.ContainsAny(resource, "?:") {
		return invalidSubscription("Resource '%.80s' is not supported.", resource)
	}
	if !allowed(c.tenant.App.Permissions, need) {
		return denied()
	}
	if len(parts) == 1 {
		return nil
	}
	return s.Store.View(c.tenant.DirectoryID, func(v store.View) error {
		if u, g := v.User(parts[1]), v.Group(parts[1]); u == nil && g == nil {
			return noResource(parts[1])
		}
		return nil
	})
}

// life turns the asked expiry into the granted one.
func (s *Server) life(asked *time.Time) (time.Time, error) {
	if asked == nil {
		return time.Time{}, invalidSubscription("Property 'expirationDateTime' is required.")
	}
	now := s.now()
	switch life := asked.Sub(now); {
	case life <= 0:
		return time.Time{}, invalidSubscription("Subscription expiration must be in the future.")
	case life > longestLife:
		return time.Time{}, invalidSubscription("Subscription expiration can only be %d minutes in the future.", int(longestLife.Minutes()))
	case life < shortestLife:
		return now.Add(shortestLife), nil
	}
	return asked.UTC(), nil
}

// room refuses a subscription over the quota, or for what another one watches already.
func (s *Server) room(others []*store.Subscription, sub store.Subscription) error {
	settings := s.Settings()
	quota := settings.SubscriptionQuota
	if quota == 0 {
		quota = standardQuota
	}
	used := 0
	for _, o := range others {
		if o.AppID != sub.AppID || !o.Expires.After(s.now()) {
			continue
		}
		used++
		same := strings.EqualFold(strings.Trim(o.Resource, "/"), strings.Trim(sub.Resource, "/")) && o.ChangeType == sub.ChangeType
		if same && !settings.AllowDuplicateSubscriptions {
			return &apiError{status: http.StatusConflict, code: "Conflict", message: fmt.Sprintf("Subscription Id %s already exists for the requested combination", o.ID)}
		}
	}
	if used >= quota {
		return &apiError{status: http.StatusForbidden, code: "Forbidden", message: fmt.Sprintf("The limit of %d subscriptions for the application in the tenant has been reached.", quota)}
	}
	return nil
}

func (s *Server) listSubscriptions(c *call) error {
	values := []any{}
	err := s.Store.View(c.tenant.DirectoryID, func(v store.View) error {
		for _, sub := range v.Subscriptions() {
			if sub.AppID == c.tenant.App.ClientID && sub.Expires.After(s.now()) {
				values = append(values, render(sub))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.served.Items = len(values)
	return c.reply(http.StatusOK, map[string]any{"@odata.context": c.context("subscriptions", nil), "value": values})
}

// own finds the caller's subscription that the path names.
func (s *Server) own(c *call) (store.Subscription, error) {
	var out store.Subscription
	err := s.Store.View(c.tenant.DirectoryID, func(v store.View) error {
		sub := v.Subscription(strings.ToLower(c.r.PathValue("id")))
		if sub == nil || sub.AppID != c.tenant.App.ClientID || !sub.Expires.After(s.now()) {
			return noSubscription()
		}
		out = *sub
		return nil
	})
	return out, err
}

func (s *Server) getSubscription(c *call) error {
	sub, err := s.own(c)
	if err != nil {
		return err
	}
	out := render(&sub)
	out["@odata.context"] = c.context("subscriptions", nil) + "/$entity"
	c.served.Items = 1
	return c.reply(http.StatusOK, out)
}

// renewSubscription moves the expiry, or the notification URL after a handshake with it.
func (s *Server) renewSubscription(c *call) error {
	sub, err := s.own(c)
	if err != nil {
		return err
	}
	var body subscriptionBody
	if err := c.body(&body); err != nil {
		return err
	}
	if body.LifecycleURL != "" || body.Resource != "" || body.ChangeType != "" {
		return invalidSubscription("Only expirationDateTime and notificationUrl can be updated.")
	}
	if body.Expires != nil {
		if sub.Expires, err = s.life(body.Expires); err != nil {
			return err
		}
	}
	if body.URL != "" {
		if err := s.checkURL("notificationUrl", body.URL); err != nil {
			return err
		}
		if err := s.Push.Validate(c.r.Context(), body.URL); err != nil {
			return &apiError{status: http.StatusBadRequest, code: "ValidationError", message: err.Error()}
		}
		sub.URL = body.URL
	}
	err = s.Store.PutSubscription(c.tenant.DirectoryID, sub, func(others []*store.Subscription) error {
		if !slices.ContainsFunc(others, func(o *store.Subscription) bool { return o.ID == sub.ID }) {
			return noSubscription() // it was deleted meanwhile
		}
		return nil
	})
	if err != nil {
		return err
	}
	out := render(&sub)
	out["@odata.context"] = c.context("subscriptions", nil) + "/$entity"
	return c.reply(http.StatusOK, out)
}

func (s *Server) reauthorize(c *call) error {
	if _, err := s.own(c); err != nil {
		return err
	}
	return c.noContent()
}

func (s *Server) deleteSubscription(c *call) error {
	sub, err := s.own(c)
	if err == nil {
		err = s.Store.DeleteSubscriptions(c.tenant.DirectoryID, sub.ID)
	}
	if err != nil {
		return err
	}
	return c.noContent()
}

// render shows a subscription, without its clientState.
func render(sub *store.Subscription) map[string]any {
	return map[string]any{
		"id": sub.ID, "resource": sub.Resource, "applicationId": sub.AppID, "changeType": sub.ChangeType,
		"clientState": nil, "notificationUrl": sub.URL, "notificationQueryOptions": nil,
		"lifecycleNotificationUrl": text(sub.LifecycleURL), "expirationDateTime": sub.Expires.UTC().Format(time.RFC3339Nano),
		"creatorId": sub.AppID, "includeResourceData": nil, "latestSupportedTlsVersion": sub.TLSVersion,
		"encryptionCertificate": nil, "encryptionCertificateId": nil, "notificationUrlAppId": nil,
	}
}
