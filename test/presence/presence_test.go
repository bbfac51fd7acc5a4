package presence

import (
	"fmt"
	"testing"
	"time"

	"freizeichen/sip"
	codec "freizeichen/sip/presence"
	"freizeichen/sip/presence/publisher"
)

func TestPhonesSeeWhatTheSwitchboardPublishes(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			server := Start(t)
			p := startPublisher(t, publisher.Config{Server: server.Address(), Network: transport})
			status, text := moment(t, "kw", 0)
			p.Publish("cc-kw", text)
			phones := []*phone{startPhone(t, server, "201", "udp", "kw"), startPhone(t, server, "202", "tcp", "kw", "moers")}
			for _, phone := range phones {
				phone.until(status) // an early phone hears that there is nothing yet
			}
			for waiting := range 3 {
				status, text := moment(t, "kw", waiting+1)
				p.Publish("cc-kw", text)
				for _, phone := range phones {
					phone.until(status)
				}
			}
			p.Publish("cc-phone-202", codec.Bell(time.Now(), 17))
			phones[1].until(sip.AgentChanged{Version: 17})
			p.Publish("cc-kw", "")
			for _, phone := range phones {
				phone.until(sip.QueueUnknown{Queue: "kw"})
			}
		})
	}
}

func TestARestartOfTheServerIsSurvived(t *testing.T) {
	server := Start(t)
	p := startPublisher(t, publisher.Config{Server: server.Address(), Expires: 12 * time.Second})
	status, _ := moment(t, "kw", 1)
	status.Status.Valid = 5 * time.Second // a phone that hears nothing new for so long asks
	text, err := codec.Text(status.Status)
	if err != nil {
		t.Fatal(err)
	}
	p.Publish("cc-kw", text)
	phone := startPhone(t, server, "201", "udp", "kw")
	phone.until(status)
	server.Restart()
	// The phone learns by 481 that it is forgotten, the publisher by 412 at its refresh.
	phone.until(sip.QueueUnknown{Queue: "kw", Status: 481})
	phone.until(status)
	again := startPhone(t, server, "202", "tcp", "kw")
	again.until(status)
	if p.Status() != (publisher.Status{Resources: 1}) {
		t.Errorf("the publisher is at %+v", p.Status())
	}
}

func TestAThousandPhonesSeeAChange(t *testing.T) {
	server := Start(t)
	p := startPublisher(t, publisher.Config{Server: server.Address()})
	status, text := moment(t, "kw", 1)
	p.Publish("cc-kw", text)
	began := time.Now()
	var phones []*phone
	for i := range 1000 {
		phones = append(phones, startPhone(t, server, fmt.Sprint(5000+i), "udp", "kw"))
	}
	for _, phone := range phones {
		phone.until(status)
	}
	t.Logf("1,000 phones have registered and subscribed to queue and bell within %v", time.Since(began).Round(time.Millisecond))
	for i := range 5 {
		status, text := moment(t, "kw", 2+i)
		began := time.Now()
		p.Publish("cc-kw", text)
		for _, phone := range phones {
			phone.until(status)
		}
		t.Logf("a change has reached 1,000 phones after %v", time.Since(began).Round(time.Millisecond))
	}
}
