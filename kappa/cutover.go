package kappa

import (
	"context"
	"fmt"
)

// The cut-over, Kreps' third step. While a candidate is built, serving holds two views and answers
// from one. It changes over when the answers of the new view reflect at least as much of the log
// as those of the old one, on every partition: so no answer goes back in time. And it changes one
// pointer that every query loads once: so no answer mixes versions.

// nominate makes the version that is to be live next the one that is materialised beside the live
// one. It returns the new view when there is one to be followed from now on.
func (s *Serving) nominate(now standing) *materialised {
	s.mu.Lock()
	defer s.mu.Unlock()
	live := s.live.Load()
	name := now.candidate
	if now.live != live.name {
		name = now.live // another serving has cut over before this one
	}
	if s.next != nil && s.next.name == name && (name == now.live || s.next.announced == now.announced) {
		return nil
	}
	if s.next != nil {
		s.next.stop() // another candidate came after it, or another life of it
		s.next = nil
	}
	if name == "" || name == live.name {
		return nil
	}
	s.next = s.cfg.newMaterialised(name, len(live.parts))
	s.next.announced = now.announced
	return s.next
}

// candidate names the view that is materialised beside the live one; "" when there is none.
func (s *Serving) candidate() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == nil {
		return ""
	}
	return s.next.name
}

// cutOver makes m the live view if it is the next one and has caught up.
func (s *Serving) cutOver(ctx context.Context, m *materialised) error {
	old, err := s.replaceBy(ctx, m)
	if old == nil || old.version == m.version {
		return err
	}
	retracted, belated := compareAlerts(old, m)
	s.cfg.notify("alerts", "version", m.version, "replaces", old.version,
		"retracted", retracted, "belated", belated)
	return nil
}

// replaceBy returns the view that m has replaced; nil when it has not.
//
// The order is what makes a crash at any point harmless: the old view stands still first, so that
// it cannot get ahead again; then the control topic says who is live, so that a restart answers
// from the new view; then the answers change.
func (s *Serving) replaceBy(ctx context.Context, m *materialised) (*materialised, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.live.Load()
	if s.next != m || !freezeIfBehind(old, m) {
		return nil, nil
	}
	if err := s.cfg.step("cut-over"); err != nil {
		return nil, err
	}
	if err := goLive(ctx, s.cfg.Log, m.name, old.name); err != nil {
		return nil, fmt.Errorf("cut over to %s: %w", m.name, err)
	}
	s.live.Store(m)
	s.next = nil
	close(old.dropped)
	old.stop()
	s.cfg.notify("live", "version", m.version, "view", m.name)
	return old, nil
}

// freezeIfBehind freezes the old view if the new one has caught up on every partition with what
// the old one answers: also with rows whose progress record is still on its way. It holds all of
// the old view's locks for the comparison: no row may slip in after its partition was compared.
func freezeIfBehind(old, new *materialised) bool {
	for _, p := range old.parts {
		p.mu.Lock()
		defer p.mu.Unlock()
	}
	for i, p := range new.parts {
		p.mu.RLock()
		begun, position := p.begun, p.progress.Position
		p.mu.RUnlock()
		if !begun || position < old.parts[i].reach {
			return false
		}
	}
	for _, p := range old.parts {
		p.frozen = true
	}
	return true
}
