package bench

import (
	"context"
	"fmt"
	"time"

	"lambdakappa/bench/cluster"
	"lambdakappa/internal/eventlog"
)

// nodeDown kills a node of the cluster and starts it again: in turn the leader of the log's first
// partition and the active controller, which are the two that somebody has to be elected for.
func (s *system) nodeDown(ctx context.Context, length time.Duration) error {
	c, err := cluster.Find(s.opt.Cluster)
	if err != nil {
		return err
	}
	n, err := s.nextNode(ctx, c)
	if err != nil {
		return err
	}
	s.progress.say("kill " + n.Name())
	if err := n.Kill(); err != nil {
		return err
	}
	ended := rest(ctx, length)
	// It comes back also when the run was interrupted: the cluster is the user's.
	back, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyLimit)
	defer cancel()
	if err := n.Start(back); err != nil {
		return err
	}
	if err := c.Ready(back); err != nil {
		return err
	}
	return ended
}

func (s *system) nextNode(ctx context.Context, c *cluster.Cluster) (*cluster.Node, error) {
	s.killedNodes++
	if s.killedNodes%2 == 0 {
		id, err := s.log.Controller(ctx)
		if err != nil {
			return nil, err
		}
		if n := c.Node(id); n != nil {
			return n, nil
		}
		return nil, fmt.Errorf("controller %d is no node of %s", id, s.opt.Cluster)
	}
	addr, err := s.log.Leader(ctx, eventlog.CarsTopic, 0)
	if err != nil {
		return nil, err
	}
	if n := c.NodeAt(addr); n != nil {
		return n, nil
	}
	return nil, fmt.Errorf("leader %s is no node of %s", addr, s.opt.Cluster)
}
