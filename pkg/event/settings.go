package event

// SettingsChanged says how a tenant's changes are treated from here on. The settings are the tenant's; each of its
// products has an event of its own, so that the record of a product is whole.
type SettingsChanged struct {
	Tenant    string       `json:"tenant"`
	Product   string       `json:"product"`
	By        string       `json:"by"`        // see ValidActor
	Paused    bool         `json:"paused"`    // no decisions are made
	Frozen    bool         `json:"frozen"`    // every revocation is held
	Connected bool         `json:"connected"` // the directory is followed
	Hold      HoldSettings `json:"hold"`
}

// HoldSettings says which changes are held.
type HoldSettings struct {
	Flips string `json:"flips"` // FlipsHold or FlipsApply
	// Revocations of one hour are held when they pass Share percent of the licenses and are at least Least. With a Share of 0
	// they never are.
	Share         int `json:"share"`
	Least         int `json:"least"`
	ExpirySeconds int `json:"expiry_seconds"` // after which a held change counts as rejected
}

// What becomes of a flip.
const (
	FlipsHold  = "hold"
	FlipsApply = "apply"
)
