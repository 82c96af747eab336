require_relative "app"
run Inbox
