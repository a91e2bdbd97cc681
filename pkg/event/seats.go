package event

// SeatsChanged says how many seats a product has from here on, and whether they limit who is licensed.
type SeatsChanged struct {
	Tenant    string `json:"tenant"`
	Product   string `json:"product"`
	By        string `json:"by"`                  // see ValidActor
	Purchased *int   `json:"purchased,omitempty"` // nil: not set
	Enforce   bool   `json:"enforce"`
	Used      int    `json:"used"`
}

// SeatsUse is the data of two types: the licensed users have come to be more than the seats, or are no longer.
type SeatsUse struct {
	Tenant    string `json:"tenant"`
	Product   string `json:"product"`
	Purchased int    `json:"purchased"`
	Used      int    `json:"used"`
	Enforce   bool   `json:"enforce"`
}

// LineChanged says that a user has joined or left the line of those who wait for a seat. The lowest place is next.
type LineChanged struct {
	Tenant  string `json:"tenant"`
	Product string `json:"product"`
	User    string `json:"user"`
	Waiting bool   `json:"waiting"`
	Place   int    `json:"place"` // rises with each who joins, and is never used again
}
