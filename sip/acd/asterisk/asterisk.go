// Package asterisk translates between Asterisk's manager interface and the model of queues and agents. It decides
// nothing and keeps nothing.
//
//	ami.Event --Event--> acd.Event          acd.Effect --Do--> QueueAdd, QueueRemove, QueuePause --> acd.Done
package asterisk

import (
	"context"
	"errors"

	"freizeichen/sip/acd"
	"freizeichen/sip/ami"
)

// Event is what an event of Asterisk's means for the model; false: nothing.
func Event(e ami.Event) (acd.Event, bool) {
	switch e := e.(type) {
	case ami.SyncBegin:
		return acd.SyncBegin{}, true
	case ami.SyncComplete:
		return acd.SyncComplete{}, true
	case ami.Lost:
		return acd.PBXLost{}, true
	case ami.QueueParams:
		return acd.QueueSeen{Queue: e.Queue, Completed: e.Completed, Abandoned: e.Abandoned, Within: e.ServiceLevel, Level: e.Level, Level2: e.Level2}, true
	case ami.QueueMember:
		return acd.MemberSeen(member(e.Member)), true
	case ami.QueueEntry:
		return acd.CallerSeen{Queue: e.Queue, Caller: e.Uniqueid, Waited: e.Wait}, true
	case ami.QueueCallerJoin:
		return acd.CallerJoined{Queue: e.Queue, Caller: e.Uniqueid}, true
	case ami.QueueCallerLeave:
		return acd.CallerLeft{Queue: e.Queue, Caller: e.Uniqueid}, true
	case ami.QueueCallerAbandon:
		return acd.CallerAbandoned{Queue: e.Queue, Caller: e.Uniqueid, Waited: e.HoldTime}, true
	case ami.AgentConnect:
		return acd.AgentConnected{Queue: e.Queue, Caller: e.Uniqueid, Interface: e.Interface, Held: e.HoldTime}, true
	case ami.AgentComplete:
		return acd.AgentCompleted{Queue: e.Queue, Interface: e.Interface, Held: e.HoldTime, Talked: e.TalkTime}, true
	case ami.QueueMemberAdded:
		return acd.MemberAdded(member(e.Member)), true
	case ami.QueueMemberRemoved:
		return acd.MemberRemoved{Queue: e.Queue, Interface: e.Interface}, true
	case ami.QueueMemberPause:
		return acd.MemberPaused{Queue: e.Queue, Interface: e.Interface, Paused: e.Paused, Reason: e.PausedReason}, true
	case ami.QueueMemberStatus:
		return acd.MemberStatus{Queue: e.Queue, Interface: e.Interface, Status: acd.Status(e.Status)}, true
	}
	return nil, false
}

// member: the numbers of Asterisk's device states are the model's.
func member(m ami.Member) acd.MemberSeen {
	return acd.MemberSeen{
		Queue: m.Queue, Interface: m.Interface, Name: m.Name, Status: acd.Status(m.Status), Paused: m.Paused, Reason: m.PausedReason,
		Talking: m.InCall, LastCall: m.LastCall,
	}
}

// A Manager does what is asked of Asterisk's queues; *ami.Client is one.
type Manager interface {
	QueueAdd(ctx context.Context, a ami.Addition) error
	QueueRemove(ctx context.Context, queue, member string) error
	QueuePause(ctx context.Context, member, queue string, paused bool, reason string) error
}

// Do carries out a command of the model and waits for Asterisk's word. The error is for the log: it says more than the
// Done. False: the effect is no command.
func Do(ctx context.Context, m Manager, e acd.Effect) (done acd.Done, command bool, err error) {
	switch e := e.(type) {
	case acd.MemberAdd:
		done.ID = e.ID
		err = m.QueueAdd(ctx, ami.Addition{Queue: e.Queue, Interface: e.Interface, MemberName: e.Name, Penalty: e.Penalty})
	case acd.MemberRemove:
		done.ID = e.ID
		err = m.QueueRemove(ctx, e.Queue, e.Interface)
	case acd.MemberPause:
		done.ID = e.ID
		err = m.QueuePause(ctx, e.Interface, "", e.Paused, e.Reason)
	default:
		return acd.Done{}, false, nil
	}
	done.Problem = problem(err)
	return done, true, err
}

func problem(err error) acd.Problem {
	switch {
	case err == nil:
		return acd.Did
	case errors.Is(err, ami.ErrIsMember):
		return acd.AlreadyThere
	case errors.Is(err, ami.ErrNoMember):
		return acd.NotThere
	case errors.Is(err, ami.ErrNoQueue):
		return acd.NoSuchQueue
	case errors.Is(err, ami.ErrAway), errors.Is(err, ami.ErrTimeout), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return acd.Unreachable
	}
	return acd.Refused
}
