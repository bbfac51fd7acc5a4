package loop

import (
	"fmt"
	"strings"

	"freizeichen/device/callcentre"
	"freizeichen/device/phone"
	"freizeichen/sip"
)

// What the agent's desk heard, did and showed, for the transcript: no agent's or caller's name or number, no PIN.

func describeDeskEvent(event sip.Event) string {
	switch e := event.(type) {
	case sip.QueueReported:
		return fmt.Sprintf("queue name=%q waiting=%d free=%d", e.Status.Queue, e.Status.Waiting, e.Status.Free)
	case sip.QueueUnknown:
		return fmt.Sprintf("queue-unknown name=%q status=%d", e.Queue, e.Status)
	case sip.AgentChanged:
		return "agent-changed"
	case sip.AgentReply:
		return fmt.Sprintf("agent-reply id=%d problem=%s state=%s", e.ID, e.Problem, e.Agent.State)
	case sip.SwitchboardChanged:
		return fmt.Sprintf("switchboard up=%t problem=%s", e.Up, e.Problem)
	case sip.OutboxChanged:
		return fmt.Sprintf("outbox waiting=%d problem=%s", e.Waiting, e.Problem)
	case sip.FiguresReported:
		return fmt.Sprintf("figures calls=%d", e.Figures.Team.Calls)
	case sip.MessageTaken:
		return "message-taken"
	}
	return fmt.Sprintf("%T", event)
}

// describeDeskEffect is empty for an effect that is not the desk's.
func describeDeskEffect(effect phone.Effect) string {
	switch e := effect.(type) {
	case phone.AskSwitchboard:
		return fmt.Sprintf("asks     %s id=%d", e.Request.Verb, e.Request.ID)
	case phone.KeepOutcome:
		return fmt.Sprintf("keeps    outcome revision=%d tenant=%q topic=%q result=%s", e.Outcome.Revision, e.Outcome.Tenant, e.Outcome.Topic, e.Outcome.Result)
	case phone.LeaveMessage:
		return fmt.Sprintf("keeps    message office=%q topic=%q", e.Message.Office, e.Message.Topic)
	}
	return ""
}

// describeDesk says what the desk shows, empty when there is none.
func describeDesk(v callcentre.View) string {
	if !v.On {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, " agent=%s", v.Agent.State)
	if v.Agent.Asked {
		b.WriteString("?")
	}
	if !v.Agent.Away.IsZero() {
		fmt.Fprintf(&b, " away=%s", v.Agent.Problem)
	}
	for _, q := range v.Queues {
		switch {
		case !q.Known:
			fmt.Fprintf(&b, " %q=unknown", q.Name)
		case !q.Stale.IsZero():
			fmt.Fprintf(&b, " %q=stale", q.Name)
		default:
			fmt.Fprintf(&b, " %q=%d/%d", q.Name, q.Waiting, q.Free)
		}
	}
	if v.Caller != nil {
		fmt.Fprintf(&b, " tenant=%q topic=%q", v.Caller.Tenant, v.Caller.Topic)
	}
	if v.Card != nil {
		fmt.Fprintf(&b, " card=%d/%d", v.Card.Top, len(v.Card.Lines))
	}
	switch {
	case v.Prompt != nil:
		fmt.Fprintf(&b, " prompt=%d", v.Prompt.Kind)
	case v.Menu != nil:
		fmt.Fprintf(&b, " menu=%d:%d/%d", v.Menu.Kind, v.Menu.Selected, len(v.Menu.Choices))
	case v.After != nil:
		fmt.Fprintf(&b, " after=%s topic=%q counting=%t", v.After.Result, v.After.Topic, v.After.Counting)
	}
	if v.Note != callcentre.NoteNone {
		fmt.Fprintf(&b, " note=%d", v.Note)
	}
	return b.String()
}
