package pages

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-hq/rollcall/pkg/event"
	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// settingsPage is how a tenant's changes are treated, and what its products are.
type settingsPage struct {
	Ready      bool // the ledger has heard of the tenant
	Products   []productSetting
	Former     []ledger.ProductState // that the tenant has no longer
	Addable    []tenant.Product      // that Rollcall knows by itself, and the tenant has not
	HoldsFlips bool
	Share      int // percent; 0: revocations are never held
	Least      int
	Hours      string // after which a held change counts as rejected
	HoldKey    string
	StandKey   string
	Frozen     bool
	Paused     bool
	Told       int // destinations of notices
	TestKey    string
	Ends       bool // it can be disconnected, or what it has left of licenses revoked
	Erases     bool // it can be erased
	Own        productForm
}

// productSetting is one product with its seats.
type productSetting struct {
	ID, Name, Address string
	Licensed, Active  []string // actions
	Purchased         string   // empty where it is not known
	Enforce           bool
	Used              int
	Key               string
	Known             bool // to the ledger
	Form              productForm
	Others            bool // whether the tenant has another one
}

func (p *Pages) settings(w http.ResponseWriter, r *http.Request, s *scope) error {
	return p.showSettings(w, r, s, http.StatusOK, said(r))
}

func (p *Pages) showSettings(w http.ResponseWriter, r *http.Request, s *scope, status int, notices []notice) error {
	return p.showTyped(w, r, s, status, productForm{}, notices)
}

// showTyped shows the settings with a form of a product as somebody has filled it in, where there is one.
func (p *Pages) showTyped(w http.ResponseWriter, r *http.Request, s *scope, status int, typed productForm, notices []notice) error {
	st, err := p.standing(r.Context(), s)
	if err != nil {
		return err
	}
	t := s.State.Tenant
	page := settingsPage{
		Ready: s.Known, HoldsFlips: t.Hold.Flips, Share: t.Hold.Guard.Share, Least: t.Hold.Guard.Least, Hours: hoursOf(t.Hold.Expiry),
		HoldKey: newKey(), StandKey: newKey(), Frozen: t.Frozen, Paused: t.Paused,
		Told: p.destinations(s), TestKey: newKey(), Ends: p.deps.Receivers != nil && s.Commands() && !s.ended(), Erases: p.deps.Receivers != nil && s.erasable(),
		Own: productForm{Form: ownForm, Domain: s.Tenant.Domain},
	}
	if typed.Form == ownForm {
		page.Own = typed
	}
	states := map[string]ledger.ProductState{}
	for _, state := range s.State.Products {
		states[state.ID] = state
		if _, has := s.Tenant.Product(state.ID); !has {
			page.Former = append(page.Former, state)
		}
	}
	for _, product := range tenant.Shipped() {
		if _, has := s.Tenant.Product(product.ID); !has {
			page.Addable = append(page.Addable, product)
		}
	}
	for _, product := range s.Tenant.Products {
		one := productSetting{
			ID: product.ID, Name: product.Name, Address: s.Tenant.GroupAddress(product), Licensed: product.Licensed, Active: product.Active, Key: newKey(),
			Form: s.formOf(product), Others: len(s.Tenant.Products) > 1,
		}
		if typed.Form == product.ID {
			one.Form = typed
		}
		if state, known := states[product.ID]; known {
			one.Known, one.Enforce, one.Used = true, state.Seats.Enforce, state.Licensed
			if state.Seats.Purchased >= 0 {
				one.Purchased = strconv.Itoa(state.Seats.Purchased)
			}
		}
		page.Products = append(page.Products, one)
	}
	return p.show(w, r, status, "settings", frame{
		Title: "Settings", Section: "settings", Scope: s, Notices: append(notices, s.standingNotices(st)...), Body: page,
	})
}

// setSeats sets how many seats of a product were purchased, and whether they limit who is licensed.
func (p *Pages) setSeats(w http.ResponseWriter, r *http.Request, s *scope) error {
	id := r.PostFormValue("product")
	if _, known := s.Tenant.Product(id); !known {
		return errNotFound
	}
	purchased, enforce := event.SeatsNotSet, r.PostFormValue("enforce") == "on"
	if text := strings.TrimSpace(r.PostFormValue("purchased")); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > maxSeats {
			return p.refuse(w, r, s, "The seats are a number of 0 to 10,000,000, or nothing where it is not known.")
		}
		purchased = n
	}
	if enforce && purchased == event.SeatsNotSet {
		return p.refuse(w, r, s, "Seats that are not known cannot be a limit: say how many were purchased.")
	}
	return p.set(w, r, s, event.SeatsRequested{Product: id, Purchased: &purchased, Enforce: &enforce, By: s.Who.ID})
}

// maxSeats is more than any customer has.
const maxSeats = 10_000_000

// setHold sets which changes are parked until somebody approves them.
func (p *Pages) setHold(w http.ResponseWriter, r *http.Request, s *scope) error {
	flips := r.PostFormValue("flips")
	if flips != event.FlipsHold && flips != event.FlipsApply {
		return badRequest("The form says what cannot be.")
	}
	share, err := strconv.Atoi(r.PostFormValue("share"))
	if err != nil || share < 0 || share > 100 {
		return p.refuse(w, r, s, "The share is a number of 0 to 100 percent.")
	}
	least, err := strconv.Atoi(r.PostFormValue("least"))
	if err != nil || least < 1 || least > maxSeats {
		return p.refuse(w, r, s, "The fewest revocations that are held are 1 or more.")
	}
	seconds, err := secondsOf(r.PostFormValue("hours"))
	if err != nil {
		return p.refuse(w, r, s, "A held change counts as rejected after a minute to ten years.")
	}
	return p.set(w, r, s, event.SettingsRequested{
		Hold: &event.HoldRequest{Flips: flips, Share: &share, Least: &least, ExpirySeconds: &seconds}, By: s.Who.ID,
	})
}

// hoursOf tells a time in hours, to a ten thousandth: that is exact to the second.
func hoursOf(d time.Duration) string {
	text := strconv.FormatFloat(d.Hours(), 'f', 4, 64)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// secondsOf reads what hoursOf tells: a minute to ten years.
func secondsOf(hours string) (int, error) {
	n, err := strconv.ParseFloat(strings.TrimSpace(hours), 64)
	if err != nil {
		return 0, err
	}
	seconds := math.Round(n * time.Hour.Seconds())
	if !(seconds >= time.Minute.Seconds() && seconds <= longest.Seconds()) { // nor what is no number
		return 0, strconv.ErrRange
	}
	return int(seconds), nil
}

const longest = 10 * 365 * 24 * time.Hour // as for the worker

// setStanding freezes, thaws, pauses or lets go on.
func (p *Pages) setStanding(w http.ResponseWriter, r *http.Request, s *scope) error {
	yes, no := true, false
	asked, known := map[string]event.SettingsRequested{
		"freeze": {Frozen: &yes}, "thaw": {Frozen: &no}, "pause": {Paused: &yes}, "go-on": {Paused: &no},
	}[r.PostFormValue("do")]
	if !known {
		return badRequest("The form says what cannot be.")
	}
	asked.By = s.Who.ID
	return p.set(w, r, s, asked)
}

// set gives a command and goes back to the settings.
func (p *Pages) set(w http.ResponseWriter, r *http.Request, s *scope, data any) error {
	said, err := p.order(r, s, data)
	if err == nil {
		return goOn(w, r, s.Path()+"/settings", said)
	}
	notices, _ := refusal(err)
	if notices == nil {
		return err
	}
	return p.showSettings(w, r, s, http.StatusConflict, notices)
}

// refuse shows the settings again, with what was wrong.
func (p *Pages) refuse(w http.ResponseWriter, r *http.Request, s *scope, says string) error {
	return p.showSettings(w, r, s, http.StatusUnprocessableEntity, []notice{notDone(says)})
}

func notDone(says string) notice { return notice{Kind: "bad", Title: "It was not done", Text: says} }
