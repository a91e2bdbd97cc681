package problem

import (
	"maps"
	"net/http"
	"slices"
	"time"
)

// Code says what a problem is. Programs go by it.
type Code string

// The codes.
const (
	InvalidRequest   Code = "invalid-request"
	InvalidCursor    Code = "invalid-cursor"
	InvalidSearch    Code = "invalid-search"
	Unauthenticated  Code = "unauthenticated"
	Forbidden        Code = "forbidden"
	NotFound         Code = "not-found"
	NoSuchTenant     Code = "no-such-tenant"
	NoSuchProduct    Code = "no-such-product"
	NoSuchUser       Code = "no-such-user"
	NoSuchGroup      Code = "no-such-group"
	NoSuchHeld       Code = "no-such-held-change"
	NoSuchRefresh    Code = "no-such-refresh"
	NoSuchCommand    Code = "no-such-command"
	MethodNotAllowed Code = "method-not-allowed"
	SeveralUsers     Code = "several-users"
	HeldNotOpen      Code = "held-not-open"
	HeldChanged      Code = "held-changed"
	HeldListing      Code = "held-listing"
	NotDisconnected  Code = "not-disconnected"
	LastProduct      Code = "last-product"
	TenantExists     Code = "tenant-exists"
	DirectoryTaken   Code = "directory-taken"
	NotConsented     Code = "not-consented"
	NotProved        Code = "not-proved"
	NoApplication    Code = "no-application"
	TenantFrozen     Code = "tenant-frozen"
	RefreshNotDone   Code = "refresh-not-done"
	NoPreview        Code = "no-preview"
	TooLarge         Code = "too-large"
	MediaType        Code = "unsupported-media-type"
	KeyUsed          Code = "idempotency-key-used"
	Refused          Code = "refused"
	RateLimited      Code = "rate-limited"
	Internal         Code = "internal"
	NoReceiver       Code = "no-receiver"
	NotReadYet       Code = "not-read-yet"
	Unavailable      Code = "unavailable"
)

// kind is what all problems of a code have in common.
type kind struct {
	status int
	title  string
	retry  time.Duration // when to try again; zero: it helps nothing
}

var kinds = map[Code]kind{
	InvalidRequest:   {http.StatusBadRequest, "The request says what the API does not know", 0},
	InvalidCursor:    {http.StatusBadRequest, "The cursor is not one of this list, as it is asked for", 0},
	InvalidSearch:    {http.StatusBadRequest, "The search cannot be understood", 0},
	Unauthenticated:  {http.StatusUnauthorized, "Sign in, or send a token", 0},
	Forbidden:        {http.StatusForbidden, "The role or the token does not allow it", 0},
	NotFound:         {http.StatusNotFound, "There is nothing here", 0},
	NoSuchTenant:     {http.StatusNotFound, "There is no such tenant", 0},
	NoSuchProduct:    {http.StatusNotFound, "The tenant has no such product", 0},
	NoSuchUser:       {http.StatusNotFound, "The directory has no such user", 0},
	NoSuchGroup:      {http.StatusNotFound, "The directory has no such group", 0},
	NoSuchHeld:       {http.StatusNotFound, "The product has no such held change", 0},
	NoSuchRefresh:    {http.StatusNotFound, "There was no such refresh within the last 30 days", 0},
	NoSuchCommand:    {http.StatusNotFound, "There was no such command within the last 30 days", 0},
	MethodNotAllowed: {http.StatusMethodNotAllowed, "The method is not one of this resource", 0},
	SeveralUsers:     {http.StatusConflict, "Several users have the address: name one by its id", 0},
	HeldNotOpen:      {http.StatusConflict, "The held change is not open any more", 0},
	HeldChanged:      {http.StatusConflict, "The list of the held change is another one by now: look at it again", 0},
	HeldListing:      {http.StatusConflict, "The list of the held change is not complete yet", 2 * time.Second},
	NotDisconnected:  {http.StatusConflict, "The tenant is not disconnected", 0},
	LastProduct:      {http.StatusConflict, "A tenant has at least one product", 0},
	TenantExists:     {http.StatusConflict, "The name is that of a tenant already, or of another directory that was disconnected", 0},
	DirectoryTaken:   {http.StatusConflict, "The directory is connected already, under another name", 0},
	NotConsented:     {http.StatusConflict, "No admin of the directory has consented, or it does not count yet", 0},
	NotProved:        {http.StatusConflict, "Not everything that it takes to read the directory is there", 0},
	NoApplication:    {http.StatusConflict, "The provider's receivers are told of no application to connect with", 0},
	TenantFrozen:     {http.StatusConflict, "It would revoke licenses, and the tenant is frozen", 0},
	RefreshNotDone:   {http.StatusConflict, "The refresh has not ended", 2 * time.Second},
	NoPreview:        {http.StatusConflict, "The refresh has put nothing on a list", 0},
	TooLarge:         {http.StatusRequestEntityTooLarge, "The request is too large", 0},
	MediaType:        {http.StatusUnsupportedMediaType, "The body is to be application/json", 0},
	KeyUsed:          {http.StatusUnprocessableEntity, "The idempotency key was used for another command", 0},
	Refused:          {http.StatusUnprocessableEntity, "The worker does not obey the command", 0},
	RateLimited:      {http.StatusTooManyRequests, "These are too many requests", time.Second},
	Internal:         {http.StatusInternalServerError, "Something is wrong here", 0},
	NoReceiver:       {http.StatusServiceUnavailable, "No receiver of the tenant's provider does it at the moment", 5 * time.Second},
	NotReadYet:       {http.StatusServiceUnavailable, "The directory has not been read completely yet: nothing can be said", 5 * time.Second},
	Unavailable:      {http.StatusServiceUnavailable, "What the answer needs is away", 2 * time.Second},
}

// Codes lists all codes, sorted.
func Codes() []Code { return slices.Sorted(maps.Keys(kinds)) }

// Status is the HTTP status that a code comes with.
func (c Code) Status() int { return kinds[c].status }

// Title says what a code means.
func (c Code) Title() string { return kinds[c].title }
