// Package sdktest reads the simulator's answers with Microsoft's own SDK. It is apart from the other tests because the
// SDK's models take minutes to compile.
package sdktest_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoft/kiota-abstractions-go/serialization"
	azureauth "github.com/microsoft/kiota-authentication-azure-go"
	khttp "github.com/microsoft/kiota-http-go"
	kjson "github.com/microsoft/kiota-serialization-json-go"
	core "github.com/microsoftgraph/msgraph-sdk-go-core"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/models/odataerrors"
	"github.com/microsoftgraph/msgraph-sdk-go/subscriptions"

	"github.com/rollcall-hq/rollcall/pkg/directory"
	"github.com/rollcall-hq/rollcall/services/simulator"
	"github.com/rollcall-hq/rollcall/services/simulator/control"
)

const clientID = "11111111-2222-3333-4444-555555555555"

type bench struct {
	t       *testing.T
	adapter *core.GraphRequestAdapterBase
	control *control.Client
	api     string
}

func setup(t *testing.T) *bench {
	t.Helper()
	server, err := simulator.New(simulator.Config{PageSize: 3, AllowLoopbackHTTP: true}, simulator.Deps{})
	check(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	pem, err := os.ReadFile(server.CAFile())
	check(t, err)
	go func() { done <- server.Run(ctx) }()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	plain := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(func() {
		plain.CloseIdleConnections()
		cancel()
		check(t, <-done)
	})
	controls := control.New(server.URL(), &http.Client{Transport: plain})
	tenant, err := controls.PutTenant(ctx, control.Tenant{
		ID: "contoso", Domains: []string{"contoso.com"}, App: control.App{ClientID: clientID, Secret: "secret"},
	})
	check(t, err)

	cred, err := azidentity.NewClientSecretCredential(tenant.DirectoryID, clientID, "secret", &azidentity.ClientSecretCredentialOptions{
		ClientOptions: policy.ClientOptions{
			Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: server.URL()}, Transport: &http.Client{Transport: plain},
		},
		DisableInstanceDiscovery: true,
	})
	check(t, err)
	auth, err := azureauth.NewAzureIdentityAuthenticationProviderWithScopesAndValidHosts(
		cred, []string{"https://graph.microsoft.com/.default"}, []string{"127.0.0.1"})
	check(t, err)
	serialization.DefaultParseNodeFactoryInstance.ContentTypeAssociatedFactories["application/json"] = kjson.NewJsonParseNodeFactory()
	serialization.DefaultSerializationWriterFactoryInstance.ContentTypeAssociatedFactories["application/json"] = kjson.NewJsonSerializationWriterFactory()
	options := core.GraphClientOptions{GraphServiceVersion: "v1.0", GraphServiceLibraryVersion: "1.96.0"}
	client := &http.Client{Transport: khttp.NewCustomTransportWithParentTransport(plain, core.GetDefaultMiddlewaresWithOptions(&options)...)}
	adapter, err := core.NewGraphRequestAdapterBaseWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(
		auth, options, serialization.DefaultParseNodeFactoryInstance, serialization.DefaultSerializationWriterFactoryInstance, client)
	check(t, err)
	api := server.URL() + "/v1.0"
	adapter.SetBaseUrl(api)
	return &bench{t: t, adapter: adapter, control: controls, api: api}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// get reads an address with the SDK, as one of its own request builders does.
func get[T serialization.Parsable](b *bench, link string, factory serialization.ParsableFactory) (T, error) {
	b.t.Helper()
	info := abstractions.NewRequestInformation()
	info.Method = abstractions.GET
	info.Headers.Add("Accept", "application/json")
	info.Headers.Add("ConsistencyLevel", "eventual")
	info.UrlTemplate = "{+url}"
	info.PathParametersAny = map[string]any{}
	info.PathParameters["url"] = link
	out, err := b.adapter.Send(context.Background(), info, factory, abstractions.ErrorMappings{
		"XXX": odataerrors.CreateODataErrorFromDiscriminatorValue,
	})
	if err != nil {
		var none T
		return none, err
	}
	return out.(T), nil
}

func TestUsersAndGroupsAreRead(t *testing.T) {
	b := setup(t)
	ctx := t.Context()
	_, err := b.control.Generate(ctx, "contoso", control.Generate{Users: 7, Seed: 1})
	check(t, err)
	var users []models.Userable
	for link := b.api + "/users/delta()?$select=id,userPrincipalName,accountEnabled,userType,proxyAddresses"; link != ""; {
		page, err := get[models.UserCollectionResponseable](b, link, models.CreateUserCollectionResponseFromDiscriminatorValue)
		check(t, err)
		users = append(users, page.GetValue()...)
		link = ""
		if next := page.GetOdataNextLink(); next != nil {
			link = *next
		}
	}
	if len(users) != 7 || users[0].GetAccountEnabled() == nil || *users[0].GetUserType() != "Member" || len(users[0].GetProxyAddresses()) == 0 {
		t.Fatalf("read %d users", len(users))
	}
	group, err := b.control.AddGroup(ctx, "contoso", control.NewGroup{Address: "seats@contoso.com", Kind: directory.MailEnabledSecurity})
	check(t, err)
	_, err = b.control.AddMembers(ctx, "contoso", group.ID, *users[0].GetId(), *users[1].GetId())
	check(t, err)

	found, err := get[models.GroupCollectionResponseable](b,
		b.api+"/groups?$count=true&$filter=proxyAddresses/any(p:p%20eq%20'SMTP:seats@contoso.com')", models.CreateGroupCollectionResponseFromDiscriminatorValue)
	check(t, err)
	if g := found.GetValue(); len(g) != 1 || *g[0].GetId() != group.ID || !*g[0].GetMailEnabled() || !*g[0].GetSecurityEnabled() {
		t.Fatalf("found %v", g)
	}
	members, err := get[models.DirectoryObjectCollectionResponseable](b, b.api+"/groups/"+group.ID+"/members?$top=999&$select=id",
		models.CreateDirectoryObjectCollectionResponseFromDiscriminatorValue)
	check(t, err)
	if _, isUser := members.GetValue()[0].(models.Userable); len(members.GetValue()) != 2 || !isUser {
		t.Errorf("members %v", members.GetValue())
	}
	delta, err := get[models.GroupCollectionResponseable](b, b.api+"/groups/delta?$select=id,members", models.CreateGroupCollectionResponseFromDiscriminatorValue)
	check(t, err)
	links, _ := delta.GetValue()[0].GetAdditionalData()["members@delta"].([]any)
	if len(links) != 2 {
		t.Errorf("members@delta %v", links)
	}
}

func TestErrorsAreRead(t *testing.T) {
	b := setup(t)
	_, err := get[models.Userable](b, b.api+"/users/"+clientID, models.CreateUserFromDiscriminatorValue)
	var odata *odataerrors.ODataError
	if !errors.As(err, &odata) || odata.GetStatusCode() != http.StatusNotFound || *odata.GetErrorEscaped().GetCode() != "Request_ResourceNotFound" ||
		odata.GetErrorEscaped().GetInnerError().GetRequestId() == nil || odata.GetErrorEscaped().GetInnerError().GetDate() == nil {
		t.Fatalf("404: %v", err)
	}
	page, err := get[models.UserCollectionResponseable](b, b.api+"/users/delta", models.CreateUserCollectionResponseFromDiscriminatorValue)
	check(t, err)
	check(t, b.control.ExpireDeltaTokens(t.Context(), "contoso"))
	link, _ := page.GetAdditionalData()["@odata.deltaLink"].(*string)
	_, err = get[models.UserCollectionResponseable](b, *link, models.CreateUserCollectionResponseFromDiscriminatorValue)
	if !errors.As(err, &odata) || odata.GetStatusCode() != http.StatusGone || len(odata.GetResponseHeaders().Get("Location")) != 1 {
		t.Errorf("410: %v", err)
	}
}

// TestSubscriptions also shows that the SDK's gzipped bodies are read.
func TestSubscriptions(t *testing.T) {
	b := setup(t)
	ctx := t.Context()
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, r.URL.Query().Get("validationToken"))
	}))
	defer hook.Close()
	builder := subscriptions.NewSubscriptionsRequestBuilderInternal(map[string]string{"baseurl": b.api}, b.adapter)
	sub := models.NewSubscription()
	change, resource, url, state := "updated,deleted", "/users", hook.URL, "state"
	expires := time.Now().Add(24 * time.Hour).UTC().Truncate(time.Second)
	sub.SetChangeType(&change)
	sub.SetResource(&resource)
	sub.SetNotificationUrl(&url)
	sub.SetLifecycleNotificationUrl(&url)
	sub.SetClientState(&state)
	sub.SetExpirationDateTime(&expires)
	made, err := builder.Post(ctx, sub, nil)
	check(t, err)
	if made.GetId() == nil || !made.GetExpirationDateTime().Equal(expires) || *made.GetLatestSupportedTlsVersion() != "v1_2" {
		t.Errorf("made %v", made)
	}
	_, err = builder.Post(ctx, sub, nil)
	var odata *odataerrors.ODataError
	if !errors.As(err, &odata) || odata.GetStatusCode() != http.StatusConflict {
		t.Errorf("duplicate: %v", err)
	}
	list, err := builder.Get(ctx, nil)
	check(t, err)
	if len(list.GetValue()) != 1 || *list.GetValue()[0].GetResource() != "/users" {
		t.Errorf("list %v", list.GetValue())
	}
	one := builder.BySubscriptionId(*made.GetId())
	renewed := models.NewSubscription()
	later := expires.Add(24 * time.Hour)
	renewed.SetExpirationDateTime(&later)
	got, err := one.Patch(ctx, renewed, nil)
	check(t, err)
	if !got.GetExpirationDateTime().Equal(later) {
		t.Errorf("renewed until %v", got.GetExpirationDateTime())
	}
	check(t, one.Reauthorize().Post(ctx, nil))
	check(t, one.Delete(ctx, nil))
	if _, err = one.Patch(ctx, renewed, nil); !errors.As(err, &odata) || odata.GetStatusCode() != http.StatusNotFound {
		t.Errorf("gone: %v", err)
	}
}
