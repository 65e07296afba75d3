package org.eclipse.jetty.websocket.server.ab;

/** Nothing: what the cases ask is answered elsewhere. */
public class ABServlet
{
}
