package authzen

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// MetadataPath is where the metadata is.
const MetadataPath = "/.well-known/authzen-configuration"

// metadata says where the endpoints are.
type metadata struct {
	PolicyDecisionPoint string `json:"policy_decision_point"`
	Evaluation          string `json:"access_evaluation_endpoint"`
	Evaluations         string `json:"access_evaluations_endpoint"`
	SearchSubject       string `json:"search_subject_endpoint"`
	SearchResource      string `json:"search_resource_endpoint"`
	SearchAction        string `json:"search_action_endpoint"`
}

// Metadata serves MetadataPath, to anybody.
func (s *Service) Metadata() (http.Handler, error) {
	base := strings.TrimSuffix(s.cfg.PublicURL, "/")
	body, err := json.Marshal(metadata{
		PolicyDecisionPoint: base, Evaluation: base + pathEvaluation, Evaluations: base + pathEvaluations,
		SearchSubject: base + pathSearchSubject, SearchResource: base + pathSearchResource, SearchAction: base + pathSearchAction,
	})
	if err != nil {
		return nil, fmt.Errorf("write the metadata: %w", err)
	}
	body = append(body, '\n')
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+MetadataPath, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "public, max-age=3600")
		_, _ = w.Write(body) // a client that has gone is told nothing
	})
	mux.HandleFunc(MetadataPath, onlyBy(http.MethodGet))
	return mux, nil
}
