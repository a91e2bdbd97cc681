package googleauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
	"google.golang.org/api/impersonate"
	"google.golang.org/api/option"

	"github.com/rollcall-hq/rollcall/services/internal/receiver/remote"
)

// signing is the scope that the base credential needs to let IAM sign.
const signing = "https://www.googleapis.com/auth/cloud-platform"

// impersonated has IAM sign as the service account, with who we are on our own platform: three requests (a federated
// token, a signature, the token), or fewer where the platform gives us Google tokens itself.
func (s *Source) impersonated(ctx context.Context, client *http.Client) (*oauth2.Token, error) {
	base, err := s.base(ctx)
	if err != nil {
		return nil, err
	}
	signed := *client
	signed.Transport = &oauth2.Transport{Source: oauth2.StaticTokenSource(base), Base: client.Transport}
	source, err := impersonate.CredentialsTokenSource(ctx, impersonate.CredentialsConfig{
		TargetPrincipal: s.cfg.Credential.ServiceAccount, Subject: s.cfg.Credential.Subject, Scopes: s.cfg.Scopes,
	}, option.WithHTTPClient(&signed))
	if err != nil {
		return nil, err
	}
	return source.Token()
}

// adc names the file of the application default credentials.
const adc = "GOOGLE_APPLICATION_CREDENTIALS"

// base is a token for who we are on our own platform. The file that the environment names is read here and not by the
// library, so that its content is judged as that of any other.
func (s *Source) base(ctx context.Context) (*oauth2.Token, error) {
	path := s.cfg.Credential.File
	if path == "" {
		path, _ = s.deps.LookupEnv(adc)
	}
	if path == "" {
		found, err := google.FindDefaultCredentials(ctx, signing)
		if err != nil {
			return nil, fmt.Errorf("application default credentials: %w", err)
		}
		return found.TokenSource.Token()
	}
	const what = "credential configuration"
	data, kind, err := read(what, path)
	if err != nil {
		return nil, err
	}
	switch kind {
	case google.ExternalAccount, google.AuthorizedUser, google.ServiceAccount:
	default:
		return nil, fmt.Errorf("the %s %s: want one of type %s, %s or %s", what, path, google.ExternalAccount, google.AuthorizedUser, google.ServiceAccount)
	}
	found, err := google.CredentialsFromJSONWithType(ctx, data, kind, signing)
	if err != nil {
		return nil, fmt.Errorf("the %s %s: %w", what, path, err)
	}
	token, err := found.TokenSource.Token()
	if err != nil {
		return nil, fmt.Errorf("the %s %s: %w", what, path, err) // told only where nothing was sent, see explain
	}
	return token, nil
}

// keyed signs with the key of the file itself. Its token_uri is not followed: there is one place to get a token from.
func (s *Source) keyed(ctx context.Context, _ *http.Client) (*oauth2.Token, error) {
	const what = "service account key"
	path := s.cfg.Credential.File
	data, kind, err := read(what, path)
	if err != nil {
		return nil, err
	}
	if kind != google.ServiceAccount {
		return nil, fmt.Errorf("the %s %s: want one of type %s", what, path, google.ServiceAccount)
	}
	config, err := google.JWTConfigFromJSON(data, s.cfg.Scopes...)
	if err != nil {
		return nil, unusable(what, path)
	}
	if want := s.cfg.Credential.ServiceAccount; want != "" && config.Email != want {
		return nil, fmt.Errorf("the %s %s is of another service account than the tenant's", what, path)
	}
	config.TokenURL, config.Audience, config.Subject = google.JWTTokenURL, "", s.cfg.Credential.Subject
	token, err := config.TokenSource(ctx).Token()
	if _, answered := errors.AsType[*oauth2.RetrieveError](err); err != nil && !answered {
		return nil, unusable(what, path)
	}
	return token, err
}

// unusable says no more than that: a library's words on a key may hold some of it.
func unusable(what, path string) error { return fmt.Errorf("the %s %s cannot be used", what, path) }

// read reads a file of Google's JSON and says of which type it is.
func read(what, path string) ([]byte, google.CredentialsType, error) {
	data, err := remote.SecretFile(what, path)
	if err != nil {
		return nil, "", err
	}
	var file struct {
		Type google.CredentialsType `json:"type"`
	}
	if json.Unmarshal(data, &file) != nil {
		return nil, "", fmt.Errorf("the %s %s is no JSON of Google's", what, path)
	}
	return data, file.Type, nil
}
