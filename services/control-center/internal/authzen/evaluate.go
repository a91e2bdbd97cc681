package authzen

import (
	"encoding/json"
	"fmt"

	"github.com/rollcall-hq/rollcall/services/control-center/internal/problem"
)

// The semantics of many questions.
const (
	executeAll    = "execute_all"
	denyOnFirst   = "deny_on_first_deny"
	permitOnFirst = "permit_on_first_permit"
)

// mostEvaluations is how many questions are answered at once.
const mostEvaluations = 100

// evaluation answers one question.
func (s *session) evaluation(f fields) (any, error) {
	q, err := f.question("")
	if err != nil {
		return nil, err
	}
	return s.ask(q)
}

// evaluated are the answers to many.
type evaluated struct {
	Evaluations []decision `json:"evaluations"`
}

// evaluations answers many questions, or the one that stands there without any.
func (s *session) evaluations(f fields) (any, error) {
	semantic, err := f.semantic()
	if err != nil {
		return nil, err
	}
	var all []json.RawMessage
	if raw, there := f["evaluations"]; there && json.Unmarshal(raw, &all) != nil {
		return nil, invalid("body:/evaluations", "want a list")
	}
	switch {
	case len(all) == 0:
		return s.evaluation(f)
	case len(all) > mostEvaluations:
		return nil, invalid("body:/evaluations", fmt.Sprintf("more than %d are not answered at once", mostEvaluations))
	}
	told := evaluated{Evaluations: make([]decision, 0, len(all))}
	for i, one := range all {
		d, err := s.item(f, fmt.Sprintf("/evaluations/%d", i), one)
		if err != nil {
			return nil, err
		}
		told.Evaluations = append(told.Evaluations, d)
		if semantic == denyOnFirst && !d.Decision || semantic == permitOnFirst && d.Decision {
			break
		}
	}
	return told, nil
}

// item answers one of many. What is wrong with it is told in its place, and is a denial.
func (s *session) item(defaults fields, where string, raw json.RawMessage) (decision, error) {
	own, err := object(where, raw)
	if err == nil {
		for _, name := range []string{"subject", "action", "resource", "context"} {
			if own[name] == nil && defaults[name] != nil {
				own[name] = defaults[name]
			}
		}
		var q question
		if q, err = own.question(where); err == nil {
			return s.ask(q)
		}
	}
	p := problem.Of(err)
	d := denied(notUnderstood)
	d.Context.Error = &fault{Status: p.Status, Message: p.Title}
	if len(p.Faults) > 0 {
		d.Context.Error.Message = p.Faults[0].Where + ": " + p.Faults[0].Message
	}
	return d, nil
}

// semantic reads when to stop.
func (f fields) semantic() (string, error) {
	if f["options"] == nil {
		return executeAll, nil
	}
	options, err := f.object("/options", "options")
	if err != nil {
		return "", err
	}
	named, err := options.text("/options", "evaluations_semantic", false)
	switch named {
	case "":
		return executeAll, err
	case executeAll, denyOnFirst, permitOnFirst:
		return named, nil
	}
	return "", invalid("body:/options/evaluations_semantic", "want "+executeAll+", "+denyOnFirst+" or "+permitOnFirst)
}
