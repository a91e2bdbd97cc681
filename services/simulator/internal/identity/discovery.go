package identity

import "net/http"

// configuration is the OpenID document of a tenant, which MSAL reads before it asks for a token.
func (p *Platform) configuration(w http.ResponseWriter, r *http.Request) {
	tenant, known := p.Tenants.Tenant(r.PathValue("tenant"))
	if !known {
		unknownTenant(r.PathValue("tenant")).write(w, p.Now())
		return
	}
	root := base(r) + "/" + tenant.DirectoryID
	writeJSON(w, map[string]any{
		"issuer":                                root + "/v2.0",
		"authorization_endpoint":                root + "/oauth2/v2.0/authorize",
		"token_endpoint":                        root + "/oauth2/v2.0/token",
		"jwks_uri":                              root + "/discovery/v2.0/keys",
		"response_types_supported":              []string{"code", "id_token", "code id_token", "id_token token"},
		"response_modes_supported":              []string{"query", "fragment", "form_post"},
		"subject_types_supported":               []string{"pairwise"},
		"scopes_supported":                      []string{"openid", "profile", "email", "offline_access"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt", "client_secret_basic"},
		"tenant_region_scope":                   "EU",
		"cloud_instance_name":                   "microsoftonline.com",
	})
}

// instance tells that this host is an authority of its own, for clients that look it up.
func (p *Platform) instance(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, map[string]any{
		"tenant_discovery_endpoint": base(r) + "/common/v2.0/.well-known/openid-configuration",
		"api-version":               "1.1",
		"metadata": []map[string]any{{
			"preferred_network": r.Host, "preferred_cache": r.Host, "aliases": []string{r.Host},
		}},
	})
}
