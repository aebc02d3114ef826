package report

import (
	"fmt"
	"slices"
	"time"

	"lambdakappa/bench/ledger"
	"lambdakappa/bench/result"
)

// advice is what a run says beside its needs: what cannot be ranked, since it begins and ends elsewhere on the two sides.
func advice(s *result.Summary) []string {
	var lines []string
	for _, line := range []string{lateLine(s), recomputeLine(s), batchLine(s)} {
		if line != "" {
			lines = append(lines, line)
		}
	}
	lines = append(lines, crossoverLines(s)...)
	return append(lines, codeLine(s)...)
}

// lateLine says what the two rules about late readings come to, where that was measured.
func lateLine(s *result.Summary) string {
	m := metricNamed("exact finally, truth A")
	lambda, _ := sampleOf(s, "late", m, lambdaSide)
	kappa, _ := sampleOf(s, "late", m, kappaSide)
	if len(lambda) == 0 || len(kappa) == 0 {
		return ""
	}
	return fmt.Sprintf("If late readings must count: in the end %s %% of Lambda's windows held every reading and %s %% of "+
		"Kappa's, with %s of allowed lateness; a Kappa that waits longer remembers more.",
		figure(median(lambda)), figure(median(kappa)), time.Duration(s.Settings.LatenessMs)*time.Millisecond)
}

// recomputeLine puts the two ways beside each other by which a side computes its history again. They
// begin and end elsewhere, so they are not ranked.
func recomputeLine(s *result.Summary) string {
	m := metricNamed("throughput")
	of := func(arm, phase string) map[int]float64 {
		found, _ := sampleOf(s, "replay", m, side{arm, phase})
		return found
	}
	batch, layers, replay := of("lambda", "batch"), of("lambda", "log_to_served"), of("kappa", "replay")
	if len(batch) == 0 || len(layers) == 0 || len(replay) == 0 {
		return ""
	}
	in := func(sample map[int]float64) string { return inUnit(median(sample), m.Unit) }
	return fmt.Sprintf("If you need all history computed again: Kappa replays the log into a served view at %s. "+
		"Lambda's batch layer recomputes its view from the master dataset at %s, without the time to load it "+
		"into serving; from an empty disk, Lambda's speed layer with ingest beside it takes %s from the log "+
		"to the served answer.", in(replay), in(batch), in(layers))
}

// batchLine says what the batch layer alone would give: both figures are of the same runs.
func batchLine(s *result.Summary) string {
	m := metricNamed("freshness of the batch layer alone, p50")
	merged := metricNamed("freshness, p50")
	for _, g := range groups(s, "freshness") {
		if g.Arm != "lambda" || g.worst() != runRight {
			continue
		}
		batch, both := m.values(g), merged.values(g)
		if len(batch) == 0 || len(both) == 0 {
			continue
		}
		return fmt.Sprintf("If batch answers are enough: Lambda's batch layer alone was %s old at the median, "+
			"merged with the speed layer %s.", inUnit(ledger.Median(batch), "ms"), inUnit(ledger.Median(both), "ms"))
	}
	return ""
}

func codeLine(s *result.Summary) []string {
	lambda, hasLambda := s.CodeSize["lambda"]
	kappa, hasKappa := s.CodeSize["kappa"]
	if !hasLambda || !hasKappa {
		return nil
	}
	line := fmt.Sprintf("If you need little code: Lambda has %s statements of its own, Kappa %s.",
		figure(float64(lambda.Statements)), figure(float64(kappa.Statements)))
	if one, ok := s.CodeSize["lambda-shared"]; ok {
		line += fmt.Sprintf(" Lambda whose batch layer drives the speed layer's logic has %s.",
			figure(float64(one.Statements)))
	}
	if archived, ok := s.CodeSize["kappa-archived"]; ok {
		line += fmt.Sprintf(" Kappa with an archive behind it has %s.", figure(float64(archived.Statements)))
	}
	if shared, ok := s.CodeSize["shared"]; ok {
		line += fmt.Sprintf(" Both use %s shared ones.", figure(float64(shared.Statements)))
	}
	return []string{line}
}

// caution is what this run does not show.
func caution(s *result.Summary) []string {
	where := "One machine runs the generator and all components; their network is loopback."
	if s.Broker.Kind == "embedded" {
		where = "One machine: no network, no replication, no failure of a disk or of a host."
	}
	cautions := []string{
		where,
		"One workload and one pair of implementations by one author. It ranks these two programs, not two ideas. " +
			"BIAS.md says where the author's hand may have weighed.",
		"Medians of few runs. Where it says undecided, a difference may still be there or not.",
		"Figures of runs of both arms on one log are a load test: the arms share the machine.",
	}
	if s.Broker.Kind == "embedded" {
		cautions = slices.Insert(cautions, 0, "The broker is embedded and is no Kafka. Nothing here says how Apache Kafka would do.")
	}
	if s.Profile == "quick" {
		cautions = append(cautions, "The quick profile is short: garbage collection, compaction and growth of history hardly show.")
	}
	return cautions
}
