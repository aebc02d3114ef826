package report

import (
	"fmt"
	"slices"
	"strings"

	"lambdakappa/bench/result"
)

// A measure reads a claim's figures from a run and says what they allow to say: supports,
// contradicts, no difference, undecided. Both are empty when the run does not have the scenario.
type measure func(*result.Summary) (figures, verdict string)

// notRun is the verdict of a claim that nothing has measured.
const notRun = "not run yet"

// ledgerSection holds every claim of the source beside what this run measured.
func ledgerSection(s *result.Summary) section {
	t := table{
		Caption: "Claims of the source, and what this run says",
		Head:    []string{"claim", "predicted", "says otherwise", "measured here", "verdict"},
	}
	for _, c := range claims {
		figures, verdict := c.judge(s)
		t.Rows = append(t.Rows, []cell{
			text(c.Scenario + ": " + c.Claim), text(c.Predicted), text(c.Against), figures, verdict,
		})
	}
	return section{
		ID: "claims", Title: "claims",
		About: "From K. Waehner's slides \"Kappa vs. Lambda Architecture\" (2021) and the literature. A claim may lose. " +
			"A run decides nothing where it has fewer than six repetitions.",
		Tables: []table{t},
	}
}

func (c *claim) judge(s *result.Summary) (figures, verdict cell) {
	if c.measure != nil {
		if f, v := c.measure(s); v != "" {
			return text(f), text(v)
		}
		return cell{missing, absent}, cell{"not in this run", absent}
	}
	if slices.Contains(partOfDisturbed, c.Scenario) {
		return cell{"its mechanics are part of disturbed", absent}, cell{notRun, absent}
	}
	return cell{missing, absent}, cell{notRun, absent}
}

// pairOf returns the values of a metric of both sides alone, from right runs.
func pairOf(s *result.Summary, scenario, name string) (lambda, kappa []float64, shown string) {
	n := need{Scenario: scenario}
	m := metricNamed(name)
	lambda, kappa = n.sample(s, m, "lambda", ""), n.sample(s, m, "kappa", "")
	if len(lambda) == 0 || len(kappa) == 0 {
		return nil, nil, ""
	}
	shown = fmt.Sprintf("%s: Lambda %s, Kappa %s", name, inUnit(median(lambda), m.Unit), inUnit(median(kappa), m.Unit))
	return lambda, kappa, shown
}

func sameFreshness(s *result.Summary) (figures, verdict string) {
	lambda, kappa, shown := pairOf(s, "freshness", "freshness, p50")
	if shown == "" {
		return "", ""
	}
	said := compare("Lambda", lambda, "Kappa", kappa)
	switch {
	case strings.HasPrefix(said, "no difference"):
		return shown, "supports: " + said
	case strings.HasPrefix(said, "undecided"):
		return shown, said
	default:
		return shown, "contradicts: " + said
	}
}

func lambdaPays(s *result.Summary) (figures, verdict string) {
	lambda, kappa, shown := pairOf(s, "always-on", "CPU per million events")
	if shown == "" {
		return "", ""
	}
	said := compare("Lambda", lambda, "Kappa", kappa)
	switch {
	case strings.HasPrefix(said, "Kappa is lower"):
		return shown, "supports: " + said
	case strings.HasPrefix(said, "Lambda is lower"):
		return shown, "contradicts: " + said
	default:
		return shown, said
	}
}

// bothRight needs no interval: a row is right or it is not.
func bothRight(s *result.Summary) (figures, verdict string) {
	var parts []string
	verdict = "supports"
	for _, arm := range []string{"lambda", "kappa"} {
		gs := ofArm(groups(s, "settled"), arm)
		if len(gs) == 0 {
			return "", ""
		}
		for _, g := range gs {
			windows, alerts, _ := g.compared()
			parts = append(parts, fmt.Sprintf("%s: %s of %s rows exact", g.Label,
				figure(float64(windows.Exact+alerts.Exact)), figure(float64(windows.Expected+alerts.Expected))))
			if g.worst() == runWrong {
				verdict = "contradicts"
			}
			if g.worst() == runVoid {
				return "", ""
			}
		}
	}
	return strings.Join(parts, "; "), verdict
}

// halfTheCode needs no interval either: the syntax tree is what it is.
func halfTheCode(s *result.Summary) (figures, verdict string) {
	lambda, kappa := s.CodeSize["lambda"].Statements, s.CodeSize["kappa"].Statements
	if lambda == 0 || kappa == 0 {
		return "", ""
	}
	share := float64(kappa) / float64(lambda)
	shown := fmt.Sprintf("statements: Lambda %s, Kappa %s, which is %.2f of it",
		figure(float64(lambda)), figure(float64(kappa)), share)
	switch {
	case share <= 0.5+margin:
		return shown, "supports"
	case share < 1-margin:
		return shown, "supports the direction, not the size"
	case share <= 1+margin:
		return shown, "no difference"
	default:
		return shown, "contradicts"
	}
}
