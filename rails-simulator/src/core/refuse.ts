import type { FastifyReply } from 'fastify'

type Problem = Readonly<{ code: string; message: string; line?: number }>

/** Answers `{"error": {"code", "message", "line"?}}`. */
export const refuse = (reply: FastifyReply, status: number, error: Problem): FastifyReply => reply.code(status).send({ error })
